package dev.rowhouse.reporting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Database;
import dev.rowhouse.usage.AttemptId;
import dev.rowhouse.usage.LedgerEvent;
import dev.rowhouse.usage.UsageRecord;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RowWriterTest {
  private static final Instant NOON = Office.NOON;

  /**
   * Events come again, out of order and in groups of any size, and rows are folded in between: the
   * sums are those of the events, each once, or the tenant is in doubt.
   */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void anEventCountsOnceHoweverOftenItComes(int seed) throws SQLException {
    Random random = new Random(seed);
    try (Database database = database(seed)) {
      UsageTables.create(database);
      List<RowWriter.Placed> events = new ArrayList<>();
      long tokens = 0;
      for (int i = 1; i <= 60; i++) {
        List<UsageRecord> records = new ArrayList<>();
        for (int n = random.nextInt(4); n > 0; n--) {
          Instant time = NOON.plusSeconds(120L * i);
          int input = random.nextInt(100);
          tokens += input;
          records.add(
              Office.record(AttemptId.mint(time, random), time, "m" + n, "k", input, 0, false));
        }
        events.add(new RowWriter.Placed(1, i, new LedgerEvent.Recorded(records, List.of()), null));
      }
      boolean mixes = random.nextBoolean();
      int next = 0;
      try (Connection connection = database.connection()) {
        while (next < events.size()) {
          int from = Math.max(0, next - random.nextInt(5));
          int to = Math.min(events.size(), next + 1 + random.nextInt(6));
          List<RowWriter.Placed> group = new ArrayList<>(events.subList(from, to));
          if (mixes) {
            java.util.Collections.shuffle(group, random);
          }
          RowWriter.write(connection, "acme", group, 1);
          next = to;
          if (random.nextInt(4) == 0) {
            long hour = NOON.plusSeconds(120L * next).toEpochMilli() / Group.HOUR_MILLIS;
            for (Folding.Due due : Folding.due(connection, hour, 10).values()) {
              Folding.fold(connection, due);
            }
          }
        }
        long found = 0;
        for (String table : List.of("rowhouse_usage_rows", "rowhouse_usage_hours")) {
          found += number(connection, "select sum(input_tokens) from " + table);
        }
        assertEquals(tokens, found);
        long doubts = number(connection, "select count(*) from rowhouse_usage_doubts");
        assertTrue(mixes || doubts == 0, "nothing was out of order, and there is doubt");
      }
    }
  }

  private static long number(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  static Database database(int seed) {
    return Database.open(
        ConfigFactory.parseString(
            "rowhouse.journal.jdbc { url = \"jdbc:h2:mem:rows"
                + seed
                + "\", user = sa, password = \"\", connections = 2, connection-timeout = 20s }"));
  }
}
