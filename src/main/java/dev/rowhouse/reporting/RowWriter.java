package dev.rowhouse.reporting;

import dev.rowhouse.usage.LedgerEvent;
import dev.rowhouse.usage.UsageRecord;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes the rows of some events of one tenant, within a transaction of the caller's. An event that
 * is in the tables already changes nothing.
 *
 * <p>It also looks for the three signs that the sums may be wrong, and puts the tenant in doubt: a
 * gap in the sequence numbers of a segment; an event that a newer segment had not read when it was
 * opened; a record of an attempt that was given up as unknown.
 */
final class RowWriter {
  /** An event and where it stands. */
  record Placed(long segment, long sequence, LedgerEvent event, @Nullable String hash) {}

  private final Connection connection;
  private final String tenant;
  private final long nowMillis;
  private final boolean isErased;
  private final Map<Long, SegmentMark> before;
  private final Map<Long, SegmentMark> marks;
  private @Nullable String doubt;

  private RowWriter(
      Connection connection, String tenant, long nowMillis, Map<Long, SegmentMark> before)
      throws SQLException {
    this.connection = connection;
    this.tenant = tenant;
    this.nowMillis = nowMillis;
    this.isErased = Erased.is(connection, tenant);
    this.before = before;
    this.marks = new TreeMap<>(before);
  }

  static void write(Connection connection, String tenant, List<Placed> events, long nowMillis)
      throws SQLException {
    boolean opens = events.stream().anyMatch(it -> it.event() instanceof LedgerEvent.SegmentOpened);
    long from = opens ? 0 : events.stream().mapToLong(Placed::segment).min().orElse(0);
    RowWriter writer =
        new RowWriter(connection, tenant, nowMillis, SegmentMark.lock(connection, tenant, from));
    writer.write(events);
  }

  private void write(List<Placed> events) throws SQLException {
    Map<String, Long> given = new HashMap<>();
    Set<String> settled = new HashSet<>();
    try (PreparedStatement insert =
        connection.prepareStatement(
            "insert into rowhouse_usage_rows (tenant, segment, sequence_number, part, usage_hour,"
                + " model, answered_by, key_id, "
                + Sums.COLUMNS
                + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      for (Placed placed : events) {
        if (isNew(placed)) {
          insert(insert, placed);
          attempts(placed.event(), given, settled);
        }
        if (placed.event() instanceof LedgerEvent.SegmentOpened opened) {
          seal(opened);
        }
      }
      insert.executeBatch();
    }
    Unknowns unknowns = new Unknowns(connection, tenant);
    unknowns.add(given);
    if (unknowns.hasAny(settled)) {
      doubt = "an attempt that was given up was settled after all";
    }
    SegmentMark.write(connection, tenant, before, marks.values());
    String reason = doubt;
    if (reason != null) {
      Doubts.add(connection, tenant, reason, nowMillis);
    }
  }

  /** Whether the event is not in the tables; marks it as seen. */
  private boolean isNew(Placed placed) throws SQLException {
    SegmentMark known = marks.get(placed.segment());
    SegmentMark mark =
        known == null
            ? SegmentMark.fresh(
                placed.segment(),
                marks.keySet().stream().anyMatch(it -> it > placed.segment())
                    ? 0
                    : UsageTables.NOT_SEALED)
            : known;
    long sequence = placed.sequence();
    if (sequence > mark.seen() + 1) {
      doubt =
          "segment %d goes on with %d after %d".formatted(mark.segment(), sequence, mark.seen());
    }
    if (sequence > mark.sealed()) {
      doubt =
          "event %d of segment %d was not known to a newer segment"
              .formatted(sequence, mark.segment());
    }
    boolean isNew =
        sequence > mark.seen() || (sequence > mark.folded() && !isThere(mark.segment(), sequence));
    marks.put(mark.segment(), mark.withSeen(sequence, placed.hash()));
    return isNew;
  }

  /** Asked only for events that come again, or out of order. */
  private boolean isThere(long segment, long sequence) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "select 1 from rowhouse_usage_rows where tenant = ? and segment = ?"
                + " and sequence_number = ?")) {
      select.setString(1, tenant);
      select.setLong(2, segment);
      select.setLong(3, sequence);
      try (ResultSet row = select.executeQuery()) {
        return row.next();
      }
    }
  }

  private void insert(PreparedStatement insert, Placed placed) throws SQLException {
    int part = 0;
    Map<Group, Sums> sums = Group.sums(placed.event());
    for (Map.Entry<Group, Sums> entry : (isErased ? Erased.withoutKeys(sums) : sums).entrySet()) {
      set(insert, tenant, placed.segment(), placed.sequence(), part, entry.getKey());
      entry.getValue().set(insert, 9);
      insert.addBatch();
      part++;
    }
  }

  static void set(
      PreparedStatement insert, String tenant, long segment, long sequence, int part, Group group)
      throws SQLException {
    insert.setString(1, tenant);
    insert.setLong(2, segment);
    insert.setLong(3, sequence);
    insert.setInt(4, part);
    insert.setLong(5, group.hour());
    insert.setString(6, group.model());
    insert.setString(7, group.answeredBy());
    insert.setString(8, group.keyId());
  }

  private static void attempts(LedgerEvent event, Map<String, Long> given, Set<String> settled) {
    if (event instanceof LedgerEvent.Recorded recorded) {
      for (UsageRecord record : recorded.records()) {
        if (record.status() == UsageRecord.Status.UNKNOWN) {
          given.put(record.attempt(), record.timeMillis());
        } else {
          settled.add(record.attempt());
        }
      }
    }
  }

  /**
   * A newer segment was opened, and this is what its writer had read of the others. What it does
   * not name it knew to be closed for ever.
   */
  private void seal(LedgerEvent.SegmentOpened opened) {
    opened.read().forEach(this::seal);
  }

  private void seal(long segment, long read) {
    SegmentMark mark = marks.getOrDefault(segment, SegmentMark.fresh(segment, read));
    if (mark.seen() > read) {
      doubt =
          "event %d of segment %d was not known to a newer segment".formatted(mark.seen(), segment);
    }
    marks.put(segment, mark.withSealed(read));
  }
}
