package dev.rowhouse.reporting;

import dev.rowhouse.usage.LedgerEvent;
import dev.rowhouse.usage.UsageRecord;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * By what records are added up.
 *
 * @param hour hours since 1970-01-01T00:00Z in which the attempts were admitted
 */
record Group(long hour, String model, String answeredBy, String keyId) {
  static final long HOUR_MILLIS = 3_600_000;

  /** Longer names are cut: they are shown, and never looked up by. */
  static final int NAME_LENGTH_MAX = 200;

  static Group of(UsageRecord record) {
    return new Group(
        Math.floorDiv(record.timeMillis(), HOUR_MILLIS),
        cut(record.modelAsked()),
        cut(record.answeredBy()),
        cut(record.keyId()));
  }

  Group withoutKey() {
    return new Group(hour, model, answeredBy, Erased.KEY);
  }

  /** The sums of an event, always in the same order. */
  static Map<Group, Sums> sums(LedgerEvent event) {
    Map<Group, Sums> sums = new LinkedHashMap<>();
    if (event instanceof LedgerEvent.Recorded recorded) {
      recorded.records().forEach(record -> sums.merge(of(record), Sums.of(record), Sums::plus));
    }
    return sums;
  }

  private static String cut(String name) {
    return name.length() > NAME_LENGTH_MAX ? name.substring(0, NAME_LENGTH_MAX) : name;
  }
}
