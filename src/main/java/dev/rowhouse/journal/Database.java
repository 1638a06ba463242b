package dev.rowhouse.journal;

import com.typesafe.config.Config;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.h2.jdbc.JdbcConnection;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FilePathWrapper;
import org.h2.store.fs.disk.FilePathDisk;
import org.jspecify.annotations.Nullable;

/**
 * The SQL database that this node writes to: a bounded pool of connections.
 *
 * <p>Calls block: use them on the {@code rowhouse.blocking-dispatcher} only. The event journal has
 * a pool of its own to the same database.
 */
public final class Database implements Storage {
  private final HikariDataSource pool;

  private Database(HikariDataSource pool) {
    this.pool = pool;
  }

  /** Opens the pool that {@code rowhouse.journal.jdbc} describes. */
  public static Database open(Config config) {
    ForcedFiles.register();
    Config jdbc = config.getConfig("rowhouse.journal.jdbc");
    HikariConfig hikari = new HikariConfig();
    hikari.setPoolName("rowhouse");
    hikari.setJdbcUrl(jdbc.getString("url"));
    hikari.setUsername(jdbc.getString("user"));
    hikari.setPassword(jdbc.getString("password"));
    hikari.setMaximumPoolSize(jdbc.getInt("connections"));
    hikari.setMinimumIdle(1);
    // H2 calls a connection valid whose database has closed after a failed write; this finds out.
    hikari.setConnectionTestQuery("select 1");
    hikari.setConnectionTimeout(jdbc.getDuration("connection-timeout").toMillis());
    return new Database(new HikariDataSource(hikari));
  }

  /** The SQL database of a room that has no tables on Cassandra. */
  public static Database of(Storage storage) {
    return switch (storage) {
      case Database database -> database;
      case Cassandra _ ->
          throw new JournalException("these tables are on SQL only, and the journal is not", null);
    };
  }

  /** A connection in auto-commit mode; close it to give it back. */
  public Connection connection() throws SQLException {
    return pool.getConnection();
  }

  public DataSource dataSource() {
    return pool;
  }

  /** H2 in this process knows its file; a server's file, H2's or another's, is the server's. */
  @Override
  public @Nullable Path localDirectory() {
    try (Connection connection = connection()) {
      if (!connection.isWrapperFor(JdbcConnection.class)
          || connection.unwrap(JdbcConnection.class).getSession().isRemote()) {
        return null;
      }
      try (Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery("select database_path()")) {
        String path = row.next() ? row.getString(1) : null;
        return path == null ? null : directory(path);
      }
    } catch (SQLException e) {
      throw new JournalException("the database does not say where its file is", e);
    }
  }

  /** The directory of a name of H2, which may begin with schemes; none when it is in memory. */
  private static @Nullable Path directory(String name) {
    FilePath file = FilePath.get(name);
    while (file instanceof FilePathWrapper wrapper) {
      file = wrapper.unwrap();
    }
    return file instanceof FilePathDisk ? Path.of(file.toString()).getParent() : null;
  }

  @Override
  public void close() {
    pool.close();
  }
}
