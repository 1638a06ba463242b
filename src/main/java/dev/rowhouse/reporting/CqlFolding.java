package dev.rowhouse.reporting;

import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.uuid.Uuids;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.reporting.CqlHours.Fold;
import dev.rowhouse.reporting.CqlHours.Place;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/** Makes folds of hours, and makes them the valid ones: see {@link CqlHours}. */
final class CqlFolding {
  /**
   * Some 150 bytes each: Cassandra warns of a batch of 5 KiB that spans partitions, not of these.
   */
  static final int ROWS_TOGETHER = 100;

  /** Hours to fold are looked for in each of them; so are heads of chains. */
  static final int BUCKETS = 64;

  /** Who noted that an hour has rows, and the time of that by its own clock. */
  private record Note(UUID writer, long writtenMicros) {}

  private final Cassandra cassandra;
  private final CqlHours hours;

  CqlFolding(Cassandra cassandra, CqlHours hours) {
    this.cassandra = cassandra;
    this.hours = hours;
  }

  static int bucket(String tenant) {
    return Math.floorMod(tenant.hashCode(), BUCKETS);
  }

  /**
   * Folds the rows of an hour, all that are there.
   *
   * @param isErased whether the ids of keys are taken out
   */
  void fold(String tenant, long hour, boolean isErased) {
    List<Note> open = notes(tenant, hour);
    List<Note> due = dueNotes(tenant, hour);
    Fold before = hours.folds(tenant, hour, hour + 1).getOrDefault(hour, Fold.NONE);
    Map<Place, Sums> found = hours.held(tenant, hour, before);
    Map<Long, Long> newest = hours.rows(tenant, hour, before, null, found);
    Map<Place, Sums> sums = new HashMap<>();
    found.forEach(
        (place, sum) -> sums.merge(isErased ? place.withoutKey() : place, sum, Sums::plus));
    Map<Long, Long> upTo = new TreeMap<>(before.upTo());
    newest.forEach((segment, to) -> upTo.merge(segment, to, Math::max));
    boolean isAsItWas = sums.equals(found) && upTo.equals(before.upTo());
    if (isAsItWas || replace(tenant, hour, before, new Fold(Uuids.timeBased(), upTo), sums)) {
      clean(tenant, hour, newest.keySet(), upTo, open, due);
    }
  }

  /**
   * Puts sums in place of all that stands at or before some sequence numbers.
   *
   * @param upTo those of all segments
   */
  void replace(String tenant, long hour, Map<Place, Sums> sums, Map<Long, Long> upTo) {
    List<Note> open = notes(tenant, hour);
    List<Note> due = dueNotes(tenant, hour);
    Fold before = hours.folds(tenant, hour, hour + 1).getOrDefault(hour, Fold.NONE);
    before
        .upTo()
        .forEach(
            (segment, to) -> {
              if (to > upTo.getOrDefault(segment, 0L)) {
                throw new JournalException(
                    "segment %d of %s was folded up to %d while it was read up to %d"
                        .formatted(segment, tenant, to, upTo.getOrDefault(segment, 0L)),
                    null);
              }
            });
    Map<Long, Long> newest = hours.rows(tenant, hour, before, null, new HashMap<>());
    Set<Long> segments = new HashSet<>(before.upTo().keySet());
    segments.addAll(newest.keySet());
    sums.keySet().forEach(place -> segments.add(place.segment()));
    Map<Long, Long> held = new TreeMap<>();
    segments.forEach(segment -> held.put(segment, upTo.getOrDefault(segment, 0L)));
    if (!replace(tenant, hour, before, new Fold(Uuids.timeBased(), held), sums)) {
      throw new JournalException("an hour of " + tenant + " was folded while it was rebuilt", null);
    }
    boolean hasLater =
        newest.entrySet().stream()
            .anyMatch(it -> it.getValue() > held.getOrDefault(it.getKey(), 0L));
    clean(
        tenant,
        hour,
        newest.keySet(),
        held,
        hasLater ? List.of() : open,
        hasLater ? List.of() : due);
  }

  private boolean replace(
      String tenant, long hour, Fold before, Fold after, Map<Place, Sums> sums) {
    List<BoundStatement> inserts = new ArrayList<>();
    sums.forEach(
        (place, sum) ->
            inserts.add(
                cassandra.bind(
                    "insert into rowhouse_usage_hours (tenant, month, usage_hour, fold, segment,"
                        + " model, answered_by, key_id, "
                        + Sums.COLUMNS
                        + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    tenant,
                    CqlHours.month(hour),
                    hour,
                    after.id(),
                    place.segment(),
                    place.group().model(),
                    place.group().answeredBy(),
                    place.group().keyId(),
                    sum.completed(),
                    sum.cancelled(),
                    sum.failed(),
                    sum.unknown(),
                    sum.inputTokens(),
                    sum.outputTokens(),
                    sum.costMicros())));
    together(inserts);
    String delete =
        "delete from rowhouse_usage_hours where tenant = ? and month = ? and usage_hour = ? and ";
    if (!commit(tenant, hour, before, after)) {
      cassandra.execute(delete + "fold = ?", tenant, CqlHours.month(hour), hour, after.id());
      return false;
    }
    if (before.id() != null) {
      cassandra.execute(delete + "fold = ?", tenant, CqlHours.month(hour), hour, before.id());
    }
    // Of those that were never made valid.
    cassandra.execute(delete + "fold < ?", tenant, CqlHours.month(hour), hour, after.id());
    return true;
  }

  private boolean commit(String tenant, long hour, Fold before, Fold after) {
    return cassandra.decide(
        () -> {
          Row row =
              cassandra
                  .executeSerial(
                      "select fold, up_to from rowhouse_usage_folds"
                          + " where tenant = ? and usage_hour = ?",
                      tenant,
                      hour)
                  .one();
          return row != null && CqlHours.fold(row).equals(after);
        },
        "update rowhouse_usage_folds set fold = ?, up_to = ?"
            + " where tenant = ? and usage_hour = ? if fold = ?",
        after.id(),
        after.upTo(),
        tenant,
        hour,
        before.id());
  }

  void together(List<BoundStatement> ofOnePartition) {
    for (int from = 0; from < ofOnePartition.size(); from += ROWS_TOGETHER) {
      int to = Math.min(ofOnePartition.size(), from + ROWS_TOGETHER);
      cassandra.executeInOnePartition(ofOnePartition.subList(from, to));
    }
  }

  private void clean(
      String tenant,
      long hour,
      Set<Long> segments,
      Map<Long, Long> upTo,
      List<Note> open,
      List<Note> due) {
    for (long segment : segments) {
      cassandra.execute(
          "delete from rowhouse_usage_rows where tenant = ? and usage_hour = ? and segment = ?"
              + " and sequence_number <= ?",
          tenant,
          hour,
          segment,
          upTo.getOrDefault(segment, 0L));
    }
    // What a writer notes meanwhile is newer, and stays.
    for (Note note : open) {
      cassandra.execute(
          "delete from rowhouse_usage_open using timestamp ?"
              + " where tenant = ? and usage_hour = ? and writer = ?",
          note.writtenMicros(),
          tenant,
          hour,
          note.writer());
    }
    for (Note note : due) {
      cassandra.execute(
          "delete from rowhouse_usage_due using timestamp ?"
              + " where bucket = ? and usage_hour = ? and tenant = ? and writer = ?",
          note.writtenMicros(),
          bucket(tenant),
          hour,
          tenant,
          note.writer());
    }
  }

  private List<Note> notes(String tenant, long hour) {
    return notes(
        cassandra.all(
            "select writer, writetime(noted) from rowhouse_usage_open"
                + " where tenant = ? and usage_hour = ?",
            tenant,
            hour));
  }

  private List<Note> dueNotes(String tenant, long hour) {
    return notes(
        cassandra.all(
            "select writer, writetime(noted) from rowhouse_usage_due"
                + " where bucket = ? and usage_hour = ? and tenant = ?",
            bucket(tenant),
            hour,
            tenant));
  }

  private static List<Note> notes(List<Row> rows) {
    return rows.stream()
        .map(row -> new Note(Objects.requireNonNull(row.getUuid(0), "a key"), row.getLong(1)))
        .toList();
  }
}
