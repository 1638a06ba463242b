package dev.rowhouse.reporting;

import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Writes the rows of events on Cassandra. Every write may be repeated: the caller moves its place
 * in the journal when all of them are done, and else writes all of them again.
 *
 * <p>So the order matters. Rows come first, then the note that their hour has some, then doubt,
 * with a time at which the rows are there for who reads the tables, and the marks at last, by which
 * a repetition would be taken for one. The rows of an event within an hour are one write: whoever
 * folds sees all of them or none.
 */
final class CqlRowWriter {
  /** Tenants and months that this writer has noted; when it is full it begins anew. */
  private static final int KNOWN_MAX = 50_000;

  private final Cassandra cassandra;
  private final UUID writer = UUID.randomUUID();
  private final Duration unknownKept;
  private final Set<String> known = ConcurrentHashMap.newKeySet();

  CqlRowWriter(Cassandra cassandra, Duration unknownKept) {
    this.cassandra = cassandra;
    this.unknownKept = unknownKept;
  }

  void write(String tenant, List<Placed> events, boolean isErased, InstantSource clock) {
    Intake intake = new Intake(marks(tenant, Intake.firstSegment(events)));
    Map<Long, Rows> byHour = new TreeMap<>();
    for (Placed placed : events) {
      intake.take(placed);
      // Of an event that comes again too: an attempt that is settled twice is settled once.
      intake.attempts(placed.event());
      intake.seal(placed.event());
      int part = 0;
      for (Map.Entry<Group, Sums> entry : Group.sums(placed.event()).entrySet()) {
        // Parts stay apart though they have one key now, or a repetition would leave some over.
        Group group = isErased ? entry.getKey().withoutKey() : entry.getKey();
        byHour
            .computeIfAbsent(group.hour(), _ -> new Rows())
            .add(placed, row(tenant, placed, part, group, entry.getValue()));
        part++;
      }
    }
    byHour.values().forEach(rows -> rows.batches.forEach(cassandra::executeInOnePartition));
    byHour.keySet().forEach(hour -> note(tenant, hour));
    unknowns(tenant, intake);
    String doubt = intake.doubt();
    if (doubt != null) {
      CqlDoubts.add(cassandra, tenant, doubt, clock.millis());
    }
    save(tenant, intake.before(), intake.marks());
  }

  /** The rows of an hour, in writes that end between two events. */
  private static final class Rows {
    private final List<List<BoundStatement>> batches = new ArrayList<>();
    private long segment;
    private long sequence;

    void add(Placed placed, BoundStatement row) {
      boolean isSame = placed.segment() == segment && placed.sequence() == sequence;
      if (batches.isEmpty() || (!isSame && batches.getLast().size() >= CqlFolding.ROWS_TOGETHER)) {
        batches.add(new ArrayList<>());
      }
      batches.getLast().add(row);
      segment = placed.segment();
      sequence = placed.sequence();
    }
  }

  private BoundStatement row(String tenant, Placed placed, int part, Group group, Sums sums) {
    return cassandra.bind(
        "insert into rowhouse_usage_rows (tenant, usage_hour, segment, sequence_number, part,"
            + " model, answered_by, key_id, "
            + Sums.COLUMNS
            + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tenant,
        group.hour(),
        placed.segment(),
        placed.sequence(),
        part,
        group.model(),
        group.answeredBy(),
        group.keyId(),
        sums.completed(),
        sums.cancelled(),
        sums.failed(),
        sums.unknown(),
        sums.inputTokens(),
        sums.outputTokens(),
        sums.costMicros());
  }

  private void note(String tenant, long hour) {
    noteMonth(tenant, hour);
    cassandra.execute(
        "insert into rowhouse_usage_open (tenant, usage_hour, writer, noted)"
            + " values (?, ?, ?, true)",
        tenant,
        hour,
        writer);
    cassandra.execute(
        "insert into rowhouse_usage_due (bucket, usage_hour, tenant, writer, noted)"
            + " values (?, ?, ?, ?, true)",
        CqlFolding.bucket(tenant),
        hour,
        tenant,
        writer);
  }

  /** Notes that a tenant has usage of the month of that hour. */
  void noteMonth(String tenant, long hour) {
    int month = CqlHours.month(hour);
    String name = month + " " + tenant;
    if (!known.contains(name)) {
      cassandra.execute(
          "insert into rowhouse_usage_tenants (month, bucket, tenant) values (?, ?, ?)",
          month,
          CqlFolding.bucket(tenant),
          tenant);
      if (known.size() >= KNOWN_MAX) {
        known.clear();
      }
      known.add(name);
    }
  }

  private void unknowns(String tenant, Intake intake) {
    for (Map.Entry<String, Long> attempt : intake.givenUp().entrySet()) {
      cassandra.execute(
          "insert into rowhouse_usage_unknowns (tenant, attempt, time_millis) values (?, ?, ?)"
              + " using ttl ?",
          tenant,
          attempt.getKey(),
          attempt.getValue(),
          Math.toIntExact(unknownKept.toSeconds()));
    }
    if (!intake.settled().isEmpty()) {
      Set<String> givenUp = new HashSet<>();
      for (Row row :
          cassandra.execute(
              "select attempt from rowhouse_usage_unknowns where tenant = ?", tenant)) {
        givenUp.add(String.valueOf(row.getString(0)));
      }
      if (givenUp.stream().anyMatch(intake.settled()::contains)) {
        intake.settledAfterAll();
      }
    }
  }

  /** The marks of a tenant's segments from that number on; nothing is folded there. */
  Map<Long, SegmentMark> marks(String tenant, long from) {
    Map<Long, SegmentMark> marks = new LinkedHashMap<>();
    for (Row row :
        cassandra.execute(
            "select segment, seen, sealed from rowhouse_usage_segments"
                + " where tenant = ? and segment >= ?",
            tenant,
            from)) {
      marks.put(
          row.getLong(0),
          new SegmentMark(row.getLong(0), row.getLong(1), row.getLong(2), 0, Sums.NONE, null));
    }
    return marks;
  }

  /** Writes those of the marks that are not as they were. */
  void save(String tenant, Map<Long, SegmentMark> before, Collection<SegmentMark> marks) {
    for (SegmentMark mark : marks) {
      if (mark.equals(before.get(mark.segment()))) {
        continue;
      }
      if (mark.head() != null) {
        cassandra.execute(
            "insert into rowhouse_usage_heads (bucket, tenant, segment, writer, seen, head)"
                + " values (?, ?, ?, ?, ?, ?)",
            CqlFolding.bucket(tenant),
            tenant,
            mark.segment(),
            writer,
            mark.seen(),
            mark.head());
      }
      cassandra.execute(
          "insert into rowhouse_usage_segments (tenant, segment, seen, sealed) values (?, ?, ?, ?)",
          tenant,
          mark.segment(),
          mark.seen(),
          mark.sealed());
    }
  }
}
