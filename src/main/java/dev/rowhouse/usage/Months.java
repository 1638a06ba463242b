package dev.rowhouse.usage;

import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Sums by calendar month in the tenant's time zone, for ever (twelve a year). */
final class Months {
  private static final int ROW_LENGTH = 6;

  private final ZoneId zone;
  private final TreeMap<YearMonth, Tally> months = new TreeMap<>();

  /** The month of the last record, because nearly all records fall into it. */
  private @Nullable YearMonth current;

  private long currentFromMillis;
  private long currentToMillis;

  Months(ZoneId zone) {
    this.zone = zone;
  }

  ZoneId zone() {
    return zone;
  }

  void change(UsageRecord record, int sign) {
    months.computeIfAbsent(monthOf(record.timeMillis()), month -> new Tally()).change(record, sign);
  }

  MonthUse use(Instant now) {
    YearMonth month = YearMonth.from(now.atZone(zone));
    Tally tally = months.getOrDefault(month, new Tally());
    return new MonthUse(
        month.toString(), tally.requests, tally.inputTokens, tally.outputTokens, tally.costMicros);
  }

  /** Of that month, and of all that came after it. */
  Map<YearMonth, Tally> since(YearMonth month) {
    return months.tailMap(month, true);
  }

  void put(YearMonth month, Tally tally) {
    months.put(month, tally);
  }

  private YearMonth monthOf(long timeMillis) {
    YearMonth month = current;
    if (month == null || timeMillis < currentFromMillis || timeMillis >= currentToMillis) {
      month = YearMonth.from(Instant.ofEpochMilli(timeMillis).atZone(zone));
      currentFromMillis = month.atDay(1).atStartOfDay(zone).toInstant().toEpochMilli();
      currentToMillis = month.plusMonths(1).atDay(1).atStartOfDay(zone).toInstant().toEpochMilli();
      current = month;
    }
    return month;
  }

  long[] pack() {
    List<Long> packed = new ArrayList<>();
    months.forEach(
        (month, tally) ->
            packed.addAll(
                List.of(
                    (long) month.getYear(),
                    (long) month.getMonthValue(),
                    tally.requests,
                    tally.inputTokens,
                    tally.outputTokens,
                    tally.costMicros)));
    return packed.stream().mapToLong(Long::longValue).toArray();
  }

  void unpack(long[] packed) {
    for (int at = 0; at < packed.length; at += ROW_LENGTH) {
      Tally tally = new Tally();
      tally.requests = packed[at + 2];
      tally.inputTokens = packed[at + 3];
      tally.outputTokens = packed[at + 4];
      tally.costMicros = packed[at + 5];
      put(YearMonth.of((int) packed[at], (int) packed[at + 1]), tally);
    }
  }
}
