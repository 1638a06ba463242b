package dev.rowhouse.usage;

import java.time.Instant;
import java.util.List;
import java.util.TreeMap;

/** What the last minute used, by second, so that a meter that starts anew is not a fresh quota. */
final class LastMinute {
  private static final int ROW_LENGTH = 3;
  private static final long SECONDS_KEPT = 60;

  private final TreeMap<Long, SecondUse> seconds = new TreeMap<>();

  void change(UsageRecord record, int sign) {
    long second = Math.floorDiv(record.timeMillis(), 1_000L);
    if (!seconds.isEmpty() && second <= seconds.lastKey() - SECONDS_KEPT) {
      return;
    }
    seconds.merge(
        second,
        new SecondUse(second, 0, 0).change(record, sign),
        (old, fresh) -> old.change(record, sign));
    seconds.headMap(seconds.lastKey() - SECONDS_KEPT, true).clear();
  }

  List<SecondUse> use(Instant now) {
    return List.copyOf(seconds.tailMap(now.getEpochSecond() - SECONDS_KEPT, false).values());
  }

  long[] pack() {
    return seconds.values().stream()
        .flatMapToLong(
            use -> java.util.stream.LongStream.of(use.second(), use.requests(), use.tokens()))
        .toArray();
  }

  void unpack(long[] packed) {
    for (int at = 0; at < packed.length; at += ROW_LENGTH) {
      put(new SecondUse(packed[at], packed[at + 1], packed[at + 2]));
    }
  }

  void put(SecondUse use) {
    seconds.put(use.second(), use);
  }
}
