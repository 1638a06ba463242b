package dev.rowhouse.journal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Wrapped keys in an SQL database. */
final class SqlKeyStore implements KeyStore {
  /** Names in one query; more are asked for in several. */
  private static final int NAMES_MAX = 500;

  private static final String INTEGRITY_VIOLATION = "23";

  private final Database database;

  private SqlKeyStore(Database database) {
    this.database = database;
  }

  /** Opens the store, and makes its tables where there are none. */
  static SqlKeyStore open(Database database) {
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          CREATE TABLE IF NOT EXISTS rowhouse_data_keys (
            tenant VARCHAR(63) NOT NULL, generation INTEGER NOT NULL, wrapped BYTEA,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL, destroyed_at TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (tenant, generation))
          """);
      statement.execute(
          """
          CREATE TABLE IF NOT EXISTS rowhouse_house_keys (
            name VARCHAR(63) PRIMARY KEY, wrapped BYTEA NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL)
          """);
    } catch (SQLException e) {
      throw new JournalException("cannot make the tables of the keys", e);
    }
    return new SqlKeyStore(database);
  }

  @Override
  public List<Generation> latest(Collection<String> tenants) {
    List<String> names = List.copyOf(tenants);
    List<Generation> found = new ArrayList<>();
    try (Connection connection = database.connection()) {
      for (int from = 0; from < names.size(); from += NAMES_MAX) {
        List<String> some = names.subList(from, Math.min(names.size(), from + NAMES_MAX));
        read(connection, some, found);
      }
    } catch (SQLException e) {
      throw new JournalException("cannot read the data keys", e);
    }
    return found;
  }

  private static void read(Connection connection, List<String> names, List<Generation> into)
      throws SQLException {
    String marks = String.join(", ", Collections.nCopies(names.size(), "?"));
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT tenant, generation, wrapped, created_at, destroyed_at FROM rowhouse_data_keys k"
                + " WHERE tenant IN ("
                + marks
                + ") AND generation = (SELECT MAX(generation) FROM rowhouse_data_keys l"
                + " WHERE l.tenant = k.tenant)")) {
      for (int i = 0; i < names.size(); i++) {
        select.setString(i + 1, names.get(i));
      }
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          Timestamp destroyed = rows.getTimestamp(5);
          into.add(
              new Generation(
                  rows.getString(1),
                  rows.getInt(2),
                  rows.getBytes(3),
                  rows.getTimestamp(4).toInstant(),
                  destroyed == null ? null : destroyed.toInstant()));
        }
      }
    }
  }

  @Override
  public boolean add(String tenant, int generation, byte[] wrapped, Instant now) {
    KeyStore.requireFits(wrapped);
    return insert(
        "INSERT INTO rowhouse_data_keys (tenant, generation, wrapped, created_at)"
            + " VALUES (?, ?, ?, ?)",
        tenant,
        generation,
        wrapped,
        Timestamp.from(now));
  }

  @Override
  public void destroy(String tenant, Instant now) {
    try (Connection connection = database.connection();
        PreparedStatement update =
            connection.prepareStatement(
                "UPDATE rowhouse_data_keys SET wrapped = NULL, destroyed_at = ?"
                    + " WHERE tenant = ? AND wrapped IS NOT NULL")) {
      update.setTimestamp(1, Timestamp.from(now));
      update.setString(2, tenant);
      update.executeUpdate();
    } catch (SQLException e) {
      throw new JournalException("cannot destroy the data key of " + tenant, e);
    }
  }

  @Override
  public boolean holdsKeys() {
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT COUNT(*) FROM rowhouse_data_keys WHERE wrapped IS NOT NULL")) {
      return rows.next() && rows.getLong(1) > 0;
    } catch (SQLException e) {
      throw new JournalException("cannot read the data keys", e);
    }
  }

  @Override
  public byte @Nullable [] house(String name) {
    try (Connection connection = database.connection();
        PreparedStatement select =
            connection.prepareStatement("SELECT wrapped FROM rowhouse_house_keys WHERE name = ?")) {
      select.setString(1, name);
      try (ResultSet rows = select.executeQuery()) {
        return rows.next() ? rows.getBytes(1) : null;
      }
    } catch (SQLException e) {
      throw new JournalException("cannot read the key " + name, e);
    }
  }

  @Override
  public boolean addHouse(String name, byte[] wrapped, Instant now) {
    return insert(
        "INSERT INTO rowhouse_house_keys (name, wrapped, created_at) VALUES (?, ?, ?)",
        name,
        wrapped,
        Timestamp.from(now));
  }

  private boolean insert(String sql, Object... values) {
    try (Connection connection = database.connection();
        PreparedStatement insert = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        insert.setObject(i + 1, values[i]);
      }
      insert.executeUpdate();
      return true;
    } catch (SQLException e) {
      String state = e.getSQLState();
      if (state != null && state.startsWith(INTEGRITY_VIOLATION)) {
        return false;
      }
      throw new JournalException("cannot store a key", e);
    }
  }
}
