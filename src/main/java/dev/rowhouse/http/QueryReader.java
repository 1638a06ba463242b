package dev.rowhouse.http;

import dev.rowhouse.serving.Refusal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads the parameters of a query about usage. The first mistake is kept, as a refusal that names
 * the parameter; what is read after it is of no use.
 *
 * <p>Times are moments of UTC, because buckets are hours and days of UTC: a time with another
 * offset or with none is refused with the text that would have been right, never silently
 * converted.
 */
final class QueryReader {
  private static final Instant FIRST = Instant.EPOCH;
  private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");
  private static final int VALUE_LENGTH_MAX = 200;

  private final Call call;
  private @Nullable Refusal refusal;

  QueryReader(Call call) {
    this.call = call;
  }

  /** The first mistake; absent when there is none so far. */
  @Nullable Refusal refusal() {
    return refusal;
  }

  void refuse(String name, String message) {
    if (refusal == null) {
      refusal = Replies.badRequest(name, message);
    }
  }

  /** Refuses every parameter of another name: a misspelt one would be a query without it. */
  void onlyKnows(Set<String> names) {
    call.request()
        .getUri()
        .query()
        .toList()
        .forEach(
            pair -> {
              if (!names.contains(pair.first())) {
                refuse(
                    pair.first(),
                    "'"
                        + pair.first()
                        + "' is no parameter here; known are "
                        + String.join(", ", names.stream().sorted().toList())
                        + ".");
              }
            });
  }

  /** A name that is looked for as it is. */
  @Nullable String text(String name) {
    String value = call.query(name);
    if (value != null && (value.isEmpty() || value.length() > VALUE_LENGTH_MAX)) {
      refuse(name, name + " must have 1 to " + VALUE_LENGTH_MAX + " characters.");
    }
    return value;
  }

  int whole(String name, int otherwise, int max) {
    String value = call.query(name);
    if (value == null) {
      return otherwise;
    }
    int number = value.matches("[0-9]{1,9}") ? Integer.parseInt(value) : 0;
    if (number < 1 || number > max) {
      refuse(name, name + " must be a whole number between 1 and " + max + ".");
      return otherwise;
    }
    return number;
  }

  boolean flag(String name, boolean otherwise) {
    return oneOf(name, Map.of("true", true, "false", false), otherwise);
  }

  /** One of some words, in lower case. */
  <E> E oneOf(String name, Map<String, E> choices, E otherwise) {
    String value = call.query(name);
    if (value == null) {
      return otherwise;
    }
    E found = choices.get(value);
    if (found == null) {
      List<String> words = List.copyOf(new TreeMap<>(choices).keySet());
      refuse(
          name,
          name
              + " must be "
              + String.join(", ", words.subList(0, words.size() - 1))
              + " or "
              + words.getLast()
              + ".");
      return otherwise;
    }
    return found;
  }

  /** A moment: {@code 2026-01-31T00:00:00Z}, or seconds since 1970. */
  Instant time(String name, Instant otherwise) {
    String value = call.query(name);
    if (value == null) {
      return otherwise;
    }
    Instant time = moment(value);
    if (time == null) {
      refuse(name, complaint(name, value));
      return otherwise;
    }
    if (time.isBefore(FIRST) || time.isAfter(LAST)) {
      refuse(name, name + " must lie in the years 1970 to 9999.");
      return otherwise;
    }
    return time;
  }

  private static @Nullable Instant moment(String value) {
    try {
      return value.matches("[0-9]{1,11}")
          ? Instant.ofEpochSecond(Long.parseLong(value))
          : value.endsWith("Z") ? Instant.parse(value) : null;
    } catch (DateTimeParseException e) {
      return null;
    }
  }

  private static String complaint(String name, String value) {
    // A plus sign in a query string is a space unless it is written %2B.
    String text = value.replace(' ', '+');
    try {
      OffsetDateTime zoned =
          text.contains("[")
              ? ZonedDateTime.parse(text).toOffsetDateTime()
              : OffsetDateTime.parse(text);
      return name
          + " has the offset "
          + zoned.getOffset()
          + ", and buckets are hours and days of UTC. Send "
          + zoned.toInstant()
          + (zoned.getOffset().equals(ZoneOffset.UTC) ? "." : ", which is the same moment.");
    } catch (DateTimeParseException e) {
      String utc = withoutZone(value);
      return utc == null
          ? name + " must be a time such as 2026-01-31T00:00:00Z, or seconds since 1970."
          : name + " names no time zone. Send " + utc + " if UTC is meant.";
    }
  }

  private static @Nullable String withoutZone(String value) {
    try {
      return value.contains("T")
          ? LocalDateTime.parse(value).toInstant(ZoneOffset.UTC).toString()
          : LocalDate.parse(value, DateTimeFormatter.ISO_LOCAL_DATE)
              .atStartOfDay()
              .toInstant(ZoneOffset.UTC)
              .toString();
    } catch (DateTimeParseException e) {
      return null;
    }
  }

  /**
   * Checks a range of buckets.
   *
   * @param widest what a query by that bucket may cover
   */
  void range(Instant from, Instant to, String bucket, Duration widest) {
    if (!from.isBefore(to)) {
      refuse(
          "to",
          from.equals(to)
              ? "'to' must be after 'from', and both are " + from + "."
              : "'to' must be after 'from': " + to + " comes before " + from + ".");
    } else if (Duration.between(from, to).compareTo(widest) > 0) {
      refuse(
          "from",
          "a query by %s covers at most %d days, and this one covers %d; ask for less or for wider buckets."
              .formatted(
                  bucket.toLowerCase(Locale.ROOT),
                  widest.toDays(),
                  ChronoUnit.DAYS.between(from, to.plus(Duration.ofDays(1)).minusNanos(1))));
    }
  }
}
