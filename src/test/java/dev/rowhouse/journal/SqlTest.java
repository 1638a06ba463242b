package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class SqlTest {
  private static final String INSERT = "insert into words (number, word) values (?, ?)";
  private static final String COUNT = "select count(*) from words";

  private final Database database =
      Database.open(
          ConfigFactory.parseString(
              """
              rowhouse.journal.jdbc {
                url = "jdbc:h2:mem:%s;DB_CLOSE_DELAY=-1"
                user = rowhouse, password = "", connections = 2, connection-timeout = 60s
              }
              """
                  .formatted(UUID.randomUUID())));

  @BeforeEach
  void make() {
    Sql.make(database, "words", "create table words (number bigint primary key, word varchar(9))");
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void saysOfEachRowOfABatchHowManyItChanged() {
    int[] changed =
        Sql.transaction(
            database,
            "cannot count",
            sql -> {
              sql.updateAll(INSERT, rows(1, 3));
              List<@Nullable Object[]> updates = new ArrayList<>();
              for (long number : new long[] {3, 7, 1}) {
                updates.add(new Object[] {null, number});
              }
              return sql.updateAll("update words set word = ? where number = ?", updates);
            });
    assertArrayEquals(new int[] {1, 0, 1}, changed);
    assertEquals(1, number("select count(*) from words where word is not null"));
  }

  @Test
  void aBatchMayHaveMoreRowsThanGoAtOnce() {
    int more = Sql.BATCH_ROWS_MAX + 1;
    int[] changed =
        Sql.transaction(database, "cannot insert", sql -> sql.updateAll(INSERT, rows(1, more)));
    assertEquals(more, changed.length);
    assertTrue(Arrays.stream(changed).allMatch(it -> it == 1));
    assertEquals(more, number(COUNT));
  }

  @Test
  void aBatchOfNothingSendsNothing() {
    int[] changed =
        Sql.apart(database, "cannot", sql -> sql.updateAll("no statement at all", List.of()));
    assertEquals(0, changed.length);
  }

  @Test
  void aBatchThatFailsLeavesNothingOfItsTransaction() {
    List<@Nullable Object[]> rows = rows(1, 5);
    rows.addAll(rows(5, 5));
    assertThrows(
        JournalException.class,
        () -> Sql.transaction(database, "cannot insert", sql -> sql.updateAll(INSERT, rows)));
    assertEquals(0, number(COUNT));
  }

  @Test
  void whoReadsMayStopBeforeTheEnd() {
    String select = "select number from words where number > ? order by number";
    List<Long> all = new ArrayList<>();
    List<Long> some = new ArrayList<>();
    Sql.transaction(
        database,
        "cannot read",
        sql -> {
          sql.updateAll(INSERT, rows(1, 9));
          sql.each(select, row -> all.add(row.getLong(1)), 6);
          return sql.read(
              select,
              Duration.ofMinutes(1),
              rows -> {
                while (some.size() < 2 && rows.next()) {
                  some.add(rows.getLong(1));
                }
                return some.size();
              },
              3);
        });
    assertEquals(List.of(7L, 8L, 9L), all);
    assertEquals(List.of(4L, 5L), some);
  }

  @Test
  void theDatabaseEndsAStatementThatTakesTooLong() {
    String select =
        "select sum(a.x * b.x) from system_range(1, 1000000) a, system_range(1, 1000000) b";
    JournalException problem =
        assertThrows(
            JournalException.class,
            () ->
                Sql.<Boolean>apart(
                    database,
                    "cannot read",
                    sql -> sql.read(select, Duration.ofMillis(1), rows -> rows.next())));
    assertEquals("cannot read", problem.getMessage());
  }

  @Test
  void theTimeOutOfAStatementIsNotOneOfTheNextOnItsConnection() throws SQLException {
    try (Connection connection = database.connection();
        Statement next = connection.createStatement()) {
      Sql.on(connection).read(COUNT, Duration.ofMinutes(1), rows -> rows.next());
      assertEquals(0, next.getQueryTimeout());
    }
  }

  @Test
  void whoOpenedAConnectionEndsItsTransaction() throws SQLException {
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false);
      Sql.on(connection).updateAll(INSERT, rows(1, 2));
      assertEquals(0, number(COUNT));
      connection.commit();
      assertEquals(2, number(COUNT));
      connection.setAutoCommit(true);
    }
  }

  private long number(String statement) {
    return Sql.apart(database, "cannot count", sql -> sql.number(statement));
  }

  private static List<@Nullable Object[]> rows(long from, long to) {
    List<@Nullable Object[]> rows = new ArrayList<>();
    for (long number = from; number <= to; number++) {
      rows.add(new Object[] {number, "word"});
    }
    return rows;
  }
}
