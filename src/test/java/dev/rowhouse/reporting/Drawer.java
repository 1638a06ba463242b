package dev.rowhouse.reporting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What a test looks up and alters behind the back of the room. */
sealed interface Drawer {
  static Drawer of(Storage storage) {
    return switch (storage) {
      case Database database -> new Sql(database);
      case Cassandra cassandra -> new Cql(cassandra);
    };
  }

  /** The tables that have groups. */
  enum Table {
    ROWS("rowhouse_usage_rows"),
    HOURS("rowhouse_usage_hours"),
    CORRECTIONS("rowhouse_usage_corrections");

    private final String name;

    Table(String name) {
      this.name = name;
    }
  }

  long count(Table table);

  long doubts();

  /** How many different keys a table has of a tenant. */
  long keys(Table table, String tenant);

  /** Adds to the cost of all rows of a tenant. */
  void makeDearer(String tenant, long costMicros);

  /** Takes the input tokens out of a table. */
  void takeInput(Table table);

  /** Gives all rows that key. */
  void giveKey(String key);

  /** The journal forgets all tags. */
  void loseTags();

  /** How many events have a tag by now; on Cassandra tags are written a moment later. */
  long tagged();

  /** A byte of an event turns over, wherever the journal has it. */
  void damage(String persistenceId, long sequence);

  /** An event goes from the journal. */
  void cut(String persistenceId, long sequence);

  /** Bytes of which one, of the payload's, is another one. */
  private static byte[] turned(byte[] bytes) {
    bytes[40] = (byte) ~bytes[40];
    return bytes;
  }

  /** What a comparison says of hours that were altered. */
  Reconciliation.Kind alteredHours();

  record Sql(Database database) implements Drawer {
    private void sql(String statement) {
      try (Connection connection = database.connection();
          Statement sql = connection.createStatement()) {
        sql.execute(statement);
      } catch (SQLException e) {
        throw new AssertionError(e);
      }
    }

    private long number(String query) {
      try (Connection connection = database.connection();
          Statement sql = connection.createStatement();
          ResultSet row = sql.executeQuery(query)) {
        return row.next() ? row.getLong(1) : 0;
      } catch (SQLException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public long count(Table table) {
      return number("select count(*) from " + table.name);
    }

    @Override
    public long doubts() {
      return number("select count(*) from rowhouse_usage_doubts");
    }

    @Override
    public long keys(Table table, String tenant) {
      return number(
          "select count(distinct key_id) from " + table.name + " where tenant = '" + tenant + "'");
    }

    @Override
    public void makeDearer(String tenant, long costMicros) {
      sql(
          "update rowhouse_usage_rows set cost_micros = cost_micros + %d where tenant = '%s'"
              .formatted(costMicros, tenant));
    }

    @Override
    public void takeInput(Table table) {
      sql("update " + table.name + " set input_tokens = 0");
    }

    @Override
    public void giveKey(String key) {
      sql("update rowhouse_usage_rows set key_id = '" + key + "'");
    }

    @Override
    public long tagged() {
      return number("select count(*) from \"event_tag\"");
    }

    @Override
    public void loseTags() {
      sql("delete from \"event_tag\"");
    }

    @Override
    public void damage(String persistenceId, long sequence) {
      String where = " where \"persistence_id\" = ? and \"sequence_number\" = ?";
      try (Connection connection = database.connection();
          PreparedStatement select =
              connection.prepareStatement(
                  "select \"event_payload\" from \"event_journal\"" + where);
          PreparedStatement update =
              connection.prepareStatement(
                  "update \"event_journal\" set \"event_payload\" = ?" + where)) {
        select.setString(1, persistenceId);
        select.setLong(2, sequence);
        try (ResultSet row = select.executeQuery()) {
          assertTrue(row.next(), persistenceId);
          update.setBytes(1, Drawer.turned(row.getBytes(1)));
        }
        update.setString(2, persistenceId);
        update.setLong(3, sequence);
        assertEquals(1, update.executeUpdate());
      } catch (SQLException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void cut(String persistenceId, long sequence) {
      sql(
          "delete from \"event_journal\" where \"persistence_id\" = '%s' and \"sequence_number\" = %d"
              .formatted(persistenceId, sequence));
    }

    @Override
    public Reconciliation.Kind alteredHours() {
      return Reconciliation.Kind.FOLDED;
    }
  }

  record Cql(Cassandra cassandra) implements Drawer {
    private static final String ROW_KEY =
        " where tenant = ? and usage_hour = ? and segment = ? and sequence_number = ? and part = ?";

    private static final List<String> HOUR_COLUMNS =
        List.of(
            "tenant", "month", "usage_hour", "fold", "segment", "model", "answered_by", "key_id");

    /** Empties whatever has something in it. */
    static void empty(Cassandra cassandra) {
      for (Row table :
          cassandra.all(
              "select table_name from system_schema.tables where keyspace_name = ?",
              cassandra.keyspace())) {
        String name = String.valueOf(table.getString(0));
        if (cassandra.one("select * from " + name + " limit 1") != null) {
          cassandra.execute("truncate " + name);
        }
      }
    }

    private List<Row> all(Table table) {
      return cassandra.all("select * from " + table.name);
    }

    @Override
    public long count(Table table) {
      return all(table).size();
    }

    @Override
    public long doubts() {
      return cassandra.all("select tenant from rowhouse_usage_doubts").stream()
          .map(row -> row.getString(0))
          .distinct()
          .count();
    }

    @Override
    public long keys(Table table, String tenant) {
      Set<String> keys = new HashSet<>();
      for (Row row : all(table)) {
        if (tenant.equals(row.getString("tenant"))) {
          keys.add(String.valueOf(row.getString("key_id")));
        }
      }
      return keys.size();
    }

    private void setRow(Row row, String column, Object value) {
      cassandra.execute(
          "update rowhouse_usage_rows set " + column + " = ?" + ROW_KEY,
          value,
          row.getString("tenant"),
          row.getLong("usage_hour"),
          row.getLong("segment"),
          row.getLong("sequence_number"),
          row.getInt("part"));
    }

    @Override
    public void makeDearer(String tenant, long costMicros) {
      for (Row row : all(Table.ROWS)) {
        if (tenant.equals(row.getString("tenant"))) {
          setRow(row, "cost_micros", row.getLong("cost_micros") + costMicros);
        }
      }
    }

    @Override
    public void takeInput(Table table) {
      if (table == Table.ROWS) {
        all(table).forEach(row -> setRow(row, "input_tokens", 0L));
        return;
      }
      for (Row row : all(table)) {
        List<Object> values = new ArrayList<>(List.of(0L));
        HOUR_COLUMNS.forEach(column -> values.add(object(row, column)));
        cassandra.execute(
            "update rowhouse_usage_hours set input_tokens = ? where "
                + String.join(" = ? and ", HOUR_COLUMNS)
                + " = ?",
            values.toArray());
      }
    }

    private static Object object(Row row, String column) {
      Object value = row.getObject(column);
      if (value == null) {
        throw new AssertionError(column);
      }
      return value;
    }

    @Override
    public void giveKey(String key) {
      all(Table.ROWS).forEach(row -> setRow(row, "key_id", key));
    }

    @Override
    public long tagged() {
      return cassandra.all("select * from tag_views").size();
    }

    @Override
    public void loseTags() {
      cassandra.execute("truncate tag_views");
    }

    @Override
    public void damage(String persistenceId, long sequence) {
      int damaged = 0;
      for (Row row : cassandra.all("select * from messages")) {
        if (isThat(row, persistenceId, sequence)) {
          cassandra.execute(
              "update messages set event = ? where persistence_id = ? and partition_nr = ?"
                  + " and sequence_nr = ? and timestamp = ?",
              turned(row),
              persistenceId,
              row.getLong("partition_nr"),
              sequence,
              row.getUuid("timestamp"));
          damaged++;
        }
      }
      for (Row row : cassandra.all("select * from tag_views")) {
        if (isThat(row, persistenceId, sequence)) {
          cassandra.execute(
              "update tag_views set event = ? where tag_name = ? and timebucket = ?"
                  + " and timestamp = ? and persistence_id = ? and tag_pid_sequence_nr = ?",
              turned(row),
              row.getString("tag_name"),
              row.getLong("timebucket"),
              row.getUuid("timestamp"),
              persistenceId,
              row.getLong("tag_pid_sequence_nr"));
          damaged++;
        }
      }
      assertEquals(2, damaged, "the event, and its copy of the tag");
    }

    private static boolean isThat(Row row, String persistenceId, long sequence) {
      return persistenceId.equals(row.getString("persistence_id"))
          && row.getLong("sequence_nr") == sequence;
    }

    private static ByteBuffer turned(Row row) {
      ByteBuffer event = row.getByteBuffer("event");
      assertNotNull(event);
      byte[] bytes = new byte[event.remaining()];
      event.get(bytes);
      return ByteBuffer.wrap(Drawer.turned(bytes));
    }

    @Override
    public void cut(String persistenceId, long sequence) {
      cassandra.execute(
          "delete from messages where persistence_id = ? and partition_nr = 0 and sequence_nr = ?",
          persistenceId,
          sequence);
    }

    @Override
    public Reconciliation.Kind alteredHours() {
      return Reconciliation.Kind.SEGMENT;
    }
  }
}
