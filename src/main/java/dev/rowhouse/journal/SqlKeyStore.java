package dev.rowhouse.journal;

import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.stream.Gatherers;
import org.jspecify.annotations.Nullable;

/** Wrapped keys in an SQL database. */
final class SqlKeyStore implements KeyStore {
  /** Names in one query; more are asked for in several. */
  private static final int NAMES_MAX = 500;

  private final Database database;

  private SqlKeyStore(Database database) {
    this.database = database;
  }

  /** Opens the store, and makes its tables where there are none. */
  static SqlKeyStore open(Database database) {
    Sql.make(
        database,
        "the tables of the keys",
        """
        CREATE TABLE IF NOT EXISTS rowhouse_data_keys (
          tenant VARCHAR(63) NOT NULL, generation INTEGER NOT NULL, wrapped BYTEA,
          created_at TIMESTAMP WITH TIME ZONE NOT NULL, destroyed_at TIMESTAMP WITH TIME ZONE,
          PRIMARY KEY (tenant, generation))
        """,
        """
        CREATE TABLE IF NOT EXISTS rowhouse_house_keys (
          name VARCHAR(63) PRIMARY KEY, wrapped BYTEA NOT NULL,
          created_at TIMESTAMP WITH TIME ZONE NOT NULL)
        """);
    return new SqlKeyStore(database);
  }

  @Override
  public List<Generation> latest(Collection<String> tenants) {
    return Sql.apart(
        database,
        "cannot read the data keys",
        sql -> {
          List<Generation> found = new ArrayList<>();
          for (List<String> names :
              tenants.stream().gather(Gatherers.windowFixed(NAMES_MAX)).toList()) {
            found.addAll(latest(sql, names));
          }
          return found;
        });
  }

  private static List<Generation> latest(Sql sql, List<String> names) throws SQLException {
    String marks = String.join(", ", Collections.nCopies(names.size(), "?"));
    return sql.query(
        "SELECT tenant, generation, wrapped, created_at, destroyed_at FROM rowhouse_data_keys k"
            + " WHERE tenant IN ("
            + marks
            + ") AND generation = (SELECT MAX(generation) FROM rowhouse_data_keys l"
            + " WHERE l.tenant = k.tenant)",
        row -> {
          Timestamp destroyed = row.getTimestamp(5);
          return new Generation(
              row.getString(1),
              row.getInt(2),
              row.getBytes(3),
              row.getTimestamp(4).toInstant(),
              destroyed == null ? null : destroyed.toInstant());
        },
        names.toArray());
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
    Sql.apart(
        database,
        "cannot destroy the data key of " + tenant,
        sql ->
            sql.update(
                "UPDATE rowhouse_data_keys SET wrapped = NULL, destroyed_at = ?"
                    + " WHERE tenant = ? AND wrapped IS NOT NULL",
                Timestamp.from(now),
                tenant));
  }

  @Override
  public boolean holdsKeys() {
    return Sql.apart(
        database,
        "cannot read the data keys",
        sql -> sql.number("SELECT COUNT(*) FROM rowhouse_data_keys WHERE wrapped IS NOT NULL") > 0);
  }

  @Override
  public byte @Nullable [] house(String name) {
    return Sql.<byte @Nullable []>apart(
        database,
        "cannot read the key " + name,
        sql ->
            sql.first(
                "SELECT wrapped FROM rowhouse_house_keys WHERE name = ?",
                row -> row.getBytes(1),
                name));
  }

  @Override
  public boolean addHouse(String name, byte[] wrapped, Instant now) {
    return insert(
        "INSERT INTO rowhouse_house_keys (name, wrapped, created_at) VALUES (?, ?, ?)",
        name,
        wrapped,
        Timestamp.from(now));
  }

  private boolean insert(String statement, Object... values) {
    return Sql.apart(database, "cannot store a key", sql -> sql.insert(statement, values));
  }
}
