package dev.rowhouse.usage;

import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What each key used in the present month and in the last minute, for the keys that have limits of
 * their own. A key whose last record is older than a month is not in a snapshot any more; its sums
 * stay in the roll-ups.
 */
final class KeyUse {
  private static final int MONTH_ROW_LENGTH = 7;
  private static final int SECOND_ROW_LENGTH = 4;

  private final ZoneId zone;
  private final Map<String, Months> months = new HashMap<>();
  private final Map<String, LastMinute> lastMinutes = new HashMap<>();

  KeyUse(ZoneId zone) {
    this.zone = zone;
  }

  void change(UsageRecord record, int sign) {
    months.computeIfAbsent(record.keyId(), _ -> new Months(zone)).change(record, sign);
    lastMinutes.computeIfAbsent(record.keyId(), _ -> new LastMinute()).change(record, sign);
  }

  /** Of each key that used something in this month or in the last minute. */
  Map<String, LedgerReply.KeyUsed> use(Instant now) {
    Map<String, LedgerReply.KeyUsed> used = new HashMap<>();
    months.forEach(
        (key, sums) -> {
          MonthUse month = sums.use(now);
          List<SecondUse> seconds = lastMinutes.getOrDefault(key, new LastMinute()).use(now);
          if (month.requests() > 0 || !seconds.isEmpty()) {
            used.put(key, new LedgerReply.KeyUsed(month, seconds));
          }
        });
    return Map.copyOf(used);
  }

  /** Rows of (key, year, month, requests, input, output, cost), of this month and the last. */
  long[] packMonths(Instant newest, Map<String, Integer> names) {
    YearMonth from = YearMonth.from(newest.atZone(zone)).minusMonths(1);
    List<Long> packed = new ArrayList<>();
    months.forEach(
        (key, sums) ->
            sums.since(from)
                .forEach(
                    (month, tally) ->
                        packed.addAll(
                            List.of(
                                name(names, key),
                                (long) month.getYear(),
                                (long) month.getMonthValue(),
                                tally.requests,
                                tally.inputTokens,
                                tally.outputTokens,
                                tally.costMicros))));
    return longs(packed);
  }

  /** Rows of (key, second, requests, tokens). */
  long[] packLastMinutes(Instant newest, Map<String, Integer> names) {
    List<Long> packed = new ArrayList<>();
    lastMinutes.forEach(
        (key, minute) ->
            minute
                .use(newest)
                .forEach(
                    use ->
                        packed.addAll(
                            List.of(
                                name(names, key), use.second(), use.requests(), use.tokens()))));
    return longs(packed);
  }

  void unpack(long[] packedMonths, long[] packedSeconds, List<String> names) {
    for (int at = 0; at < packedMonths.length; at += MONTH_ROW_LENGTH) {
      Tally tally = new Tally();
      tally.requests = packedMonths[at + 3];
      tally.inputTokens = packedMonths[at + 4];
      tally.outputTokens = packedMonths[at + 5];
      tally.costMicros = packedMonths[at + 6];
      months
          .computeIfAbsent(names.get((int) packedMonths[at]), _ -> new Months(zone))
          .put(YearMonth.of((int) packedMonths[at + 1], (int) packedMonths[at + 2]), tally);
    }
    for (int at = 0; at < packedSeconds.length; at += SECOND_ROW_LENGTH) {
      lastMinutes
          .computeIfAbsent(names.get((int) packedSeconds[at]), _ -> new LastMinute())
          .put(new SecondUse(packedSeconds[at + 1], packedSeconds[at + 2], packedSeconds[at + 3]));
    }
  }

  private static long name(Map<String, Integer> names, String key) {
    return names.computeIfAbsent(key, _ -> names.size());
  }

  private static long[] longs(List<Long> packed) {
    return packed.stream().mapToLong(Long::longValue).toArray();
  }
}
