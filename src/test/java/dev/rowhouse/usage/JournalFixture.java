package dev.rowhouse.usage;

import dev.rowhouse.JournalFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What each version wrote, as values; {@code main}, given src/test/resources, writes the files that
 * are not there. A later version adds files of its own and never changes those of an earlier one.
 */
final class JournalFixture {
  static final String ATTEMPT_1 = "019cd7a5-8c00-7aaa-8000-000000000001";
  static final String ATTEMPT_2 = "019cd7a5-8c01-7bbb-9000-000000000002";
  static final String ATTEMPT_3 = "019cd7a5-8c02-7ccc-a000-000000000003";
  static final LedgerRules RULES =
      new LedgerRules(Duration.ofMinutes(30).toMillis(), 1_000, Duration.ofMinutes(20).toMillis());
  private static final long TIME = Instant.parse("2026-03-10T12:00:00Z").toEpochMilli();

  private JournalFixture() {}

  static LedgerEvent.SegmentOpened opened() {
    return new LedgerEvent.SegmentOpened(
        3, TIME, "node-1", new Totals(1, 2, 3, 4, 5, 6, 7), Map.of(1L, 20L, 2L, 4_000_000_000L));
  }

  static LedgerEvent.Recorded recorded() {
    UsageRecord full =
        new UsageRecord(
            ATTEMPT_1,
            TIME,
            "k7",
            "small",
            "small-2026-01",
            1_234,
            56,
            UsageRecord.Status.FAILED,
            502,
            "upstream_error",
            true,
            true,
            2_500,
            -1,
            12,
            "exact",
            "their-id ü",
            9_876_543_210L,
            3);
    UsageRecord least =
        new UsageRecord(
            ATTEMPT_2,
            TIME + 1,
            "k7",
            "small",
            "",
            0,
            0,
            UsageRecord.Status.CANCELLED,
            200,
            null,
            false,
            false,
            0,
            0,
            0,
            UsageRecord.MISS,
            null,
            0,
            0);
    return new LedgerEvent.Recorded(List.of(full, least), List.of(start()));
  }

  static StartedEntry start() {
    return new StartedEntry(ATTEMPT_3, TIME + 2, "k8", "large", 4_096);
  }

  /** The first version had no chains. */
  static LedgerState state() {
    LedgerState state = new LedgerState(RULES, ZoneOffset.UTC);
    state.apply(3, 1, opened());
    state.apply(3, 2, recorded());
    return state;
  }

  static LedgerEvent.SegmentOpened chainedOpening() {
    return new LedgerEvent.SegmentOpened(
            3,
            TIME,
            "node-1",
            new Totals(1, 2, 3, 4, 5, 6, 7),
            Map.of(1L, 20L, 2L, 4_000_000_000L),
            Map.of(2L, "c0ffee", 1L, ""),
            null)
        .chained("usage|acme|3");
  }

  static LedgerEvent.Recorded chainedCommit() {
    return recorded().chained(String.valueOf(chainedOpening().chain()));
  }

  static LedgerState chainedState() {
    LedgerState state = new LedgerState(RULES, ZoneOffset.UTC);
    state.apply(3, 1, chainedOpening());
    state.apply(3, 2, chainedCommit());
    return state;
  }

  /** What this version writes, under the name of the version that wrote it first. */
  static Map<String, Object> all() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("journal-v3/segment-opened", chainedOpening());
    all.put("journal-v3/recorded", chainedCommit());
    all.put("journal-v3/snapshot", chainedState().snapshot(Instant.ofEpochMilli(TIME + 3)));
    return all;
  }

  public static void main(String[] arguments) throws IOException {
    JournalFiles.writeMissing(Path.of(arguments[0]), all());
  }
}
