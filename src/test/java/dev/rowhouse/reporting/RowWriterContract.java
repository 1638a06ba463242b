package dev.rowhouse.reporting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.reporting.UsageQuestion.Split;
import dev.rowhouse.reporting.UsageQuestion.Width;
import dev.rowhouse.usage.AttemptId;
import dev.rowhouse.usage.LedgerEvent;
import dev.rowhouse.usage.UsageRecord;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

abstract class RowWriterContract {
  private static final Instant NOON = Office.NOON;

  /** Each seed has a tenant of its own. */
  abstract Storage storage();

  /**
   * Events come again, out of order and in groups of any size, and rows are folded in between: the
   * sums are those of the events, each once, or the tenant is in doubt.
   */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void anEventCountsOnceHoweverOftenItComes(int seed) {
    Random random = new Random(seed);
    String tenant = "t-" + seed;
    UsageStore store = UsageStore.open(storage(), config(), ReportingSettings.of(config()));
    List<Placed> events = new ArrayList<>();
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
      events.add(new Placed(1, i, new LedgerEvent.Recorded(records, List.of()), null, null));
    }
    boolean mixes = random.nextBoolean();
    int next = 0;
    while (next < events.size()) {
      int from = Math.max(0, next - random.nextInt(5));
      int to = Math.min(events.size(), next + 1 + random.nextInt(6));
      List<Placed> group = new ArrayList<>(events.subList(from, to));
      if (mixes) {
        Collections.shuffle(group, random);
      }
      store.write(tenant, group, InstantSource.fixed(Instant.EPOCH));
      next = to;
      if (random.nextInt(4) == 0) {
        long hour = NOON.plusSeconds(120L * next).toEpochMilli() / Group.HOUR_MILLIS;
        store.due(hour, 10).forEach(due -> due.work().run());
      }
    }
    UsageReports.Answer answer =
        store.answer(Office.question(tenant, Width.DAY, Split.NOTHING), NOON.toEpochMilli());
    assertEquals(tokens, answer.total() == null ? 0 : answer.total().inputTokens());
    assertTrue(mixes || answer.doubts() == 0, "nothing was out of order, and there is doubt");
  }

  /** Tags of before this day are not looked for. */
  private static Config config() {
    return ConfigFactory.parseString(
            "pekko.persistence.cassandra.events-by-tag.first-time-bucket = \"%sT00:00\""
                .formatted(LocalDate.now(ZoneOffset.UTC).format(DateTimeFormatter.BASIC_ISO_DATE)))
        .withFallback(ConfigFactory.parseResources("reporting.conf"))
        .withFallback(ConfigFactory.parseResources("usage.conf"))
        .withFallback(ConfigFactory.parseResources("audit.conf"))
        .withFallback(ConfigFactory.defaultReferenceUnresolved())
        .resolve();
  }
}
