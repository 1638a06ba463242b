package dev.rowhouse.journal;

import com.typesafe.config.Config;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

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

  @Override
  public void close() {
    pool.close();
  }
}
