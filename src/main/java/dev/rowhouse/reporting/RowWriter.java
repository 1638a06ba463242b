package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes the rows of some events of one tenant, within a transaction of the caller's. An event that
 * is in the tables already changes nothing.
 *
 * <p>It also looks for the four signs that the sums may be wrong, and puts the tenant in doubt: a
 * gap in the sequence numbers of a segment; an event that cannot be read, or that a newer segment
 * had not read when it was opened; a record of an attempt that was given up as unknown.
 */
final class RowWriter {
  private final Sql sql;
  private final String tenant;
  private final long nowMillis;
  private final boolean isErased;
  private final Intake intake;

  private RowWriter(Sql sql, String tenant, long nowMillis, Intake intake) throws SQLException {
    this.sql = sql;
    this.tenant = tenant;
    this.nowMillis = nowMillis;
    this.isErased = Erased.is(sql, tenant);
    this.intake = intake;
  }

  static void write(Sql sql, String tenant, List<Placed> events, long nowMillis)
      throws SQLException {
    Intake intake = new Intake(SegmentMark.lock(sql, tenant, Intake.firstSegment(events)));
    new RowWriter(sql, tenant, nowMillis, intake).write(events);
  }

  private void write(List<Placed> events) throws SQLException {
    List<@Nullable Object[]> rows = new ArrayList<>();
    for (Placed placed : events) {
      if (isNew(placed)) {
        add(rows, placed);
        intake.attempts(placed.event());
      }
      intake.seal(placed.event());
    }
    sql.updateAll(
        "insert into rowhouse_usage_rows (tenant, segment, sequence_number, part, usage_hour,"
            + " model, answered_by, key_id, "
            + Sums.COLUMNS
            + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows);
    Unknowns unknowns = new Unknowns(sql, tenant);
    unknowns.add(intake.givenUp());
    if (unknowns.hasAny(intake.settled())) {
      intake.settledAfterAll();
    }
    SegmentMark.write(sql, tenant, intake.before(), intake.marks());
    String doubt = intake.doubt();
    if (doubt != null) {
      Doubts.add(sql, tenant, doubt, nowMillis);
    }
  }

  /** Whether the event is not in the tables; marks it as seen. */
  private boolean isNew(Placed placed) throws SQLException {
    return intake.take(placed)
        || (placed.sequence() > intake.folded(placed.segment())
            && !isThere(placed.segment(), placed.sequence()));
  }

  /** Asked only for events that come again, or out of order. */
  private boolean isThere(long segment, long sequence) throws SQLException {
    return sql.first(
            "select 1 from rowhouse_usage_rows where tenant = ? and segment = ?"
                + " and sequence_number = ?",
            _ -> true,
            tenant,
            segment,
            sequence)
        != null;
  }

  private void add(List<@Nullable Object[]> rows, Placed placed) {
    int part = 0;
    Map<Group, Sums> sums = Group.sums(placed.event());
    for (Map.Entry<Group, Sums> entry : (isErased ? Erased.withoutKeys(sums) : sums).entrySet()) {
      rows.add(
          row(tenant, placed.segment(), placed.sequence(), part, entry.getKey(), entry.getValue()));
      part++;
    }
  }

  /** The values of a row, and of a correction. */
  static @Nullable Object[] row(
      String tenant, long segment, long sequence, int part, Group group, Sums sums) {
    return sums.row(
        List.of(
            tenant,
            segment,
            sequence,
            part,
            group.hour(),
            group.model(),
            group.answeredBy(),
            group.keyId()));
  }
}
