package dev.rowhouse.inference;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * When an upstream wants to be asked again: {@code Retry-After} in seconds or as a date (RFC 9110,
 * 10.2.3), or the finer {@code retry-after-ms} of OpenAI.
 */
final class RetryAfter {
  /** No upstream's word counts for longer. */
  static final long MAX_MILLIS = Duration.ofDays(1).toMillis();

  private static final Pattern MILLIS = Pattern.compile("\\d{1,12}");
  private static final Pattern SECONDS = Pattern.compile("\\d{1,9}(?:\\.\\d{1,6})?");

  private RetryAfter() {}

  /** From now on; 0 when the upstream says nothing that can be understood. */
  static long millis(@Nullable String retryAfter, @Nullable String retryAfterMs, Instant now) {
    long millis = 0;
    if (retryAfterMs != null && MILLIS.matcher(retryAfterMs.strip()).matches()) {
      millis = Long.parseLong(retryAfterMs.strip());
    } else if (retryAfter != null && SECONDS.matcher(retryAfter.strip()).matches()) {
      millis = (long) Math.ceil(Double.parseDouble(retryAfter.strip()) * 1000);
    } else if (retryAfter != null) {
      millis = untilDate(retryAfter.strip(), now);
    }
    return Math.clamp(millis, 0, MAX_MILLIS);
  }

  private static long untilDate(String date, Instant now) {
    try {
      return Duration.between(
              now, ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant())
          .toMillis();
    } catch (DateTimeException | ArithmeticException e) {
      return 0;
    }
  }
}
