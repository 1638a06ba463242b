package dev.rowhouse.usage;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * From when to when attempts were admitted.
 *
 * @param from the first moment that counts; absent: from the beginning
 * @param to the first that does not any more; absent: to the end
 */
public record TimeRange(@Nullable Instant from, @Nullable Instant to) {
  public static final TimeRange ALL = new TimeRange(null, null);

  public TimeRange {
    if (from != null && to != null && !from.isBefore(to)) {
      throw new IllegalArgumentException("'to' must be after 'from'");
    }
  }

  public boolean isAll() {
    return from == null && to == null;
  }

  public boolean contains(long timeMillis) {
    return timeMillis >= fromMillis() && timeMillis < toMillis();
  }

  long fromMillis() {
    return from == null ? Long.MIN_VALUE : from.toEpochMilli();
  }

  long toMillis() {
    return to == null ? Long.MAX_VALUE : to.toEpochMilli();
  }
}
