package dev.rowhouse.reporting;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/**
 * Writes the rows of some events of one tenant, within a transaction of the caller's. An event that
 * is in the tables already changes nothing.
 *
 * <p>It also looks for the four signs that the sums may be wrong, and puts the tenant in doubt: a
 * gap in the sequence numbers of a segment; an event that cannot be read, or that a newer segment
 * had not read when it was opened; a record of an attempt that was given up as unknown.
 */
final class RowWriter {
  private final Connection connection;
  private final String tenant;
  private final long nowMillis;
  private final boolean isErased;
  private final Intake intake;

  private RowWriter(Connection connection, String tenant, long nowMillis, Intake intake)
      throws SQLException {
    this.connection = connection;
    this.tenant = tenant;
    this.nowMillis = nowMillis;
    this.isErased = Erased.is(connection, tenant);
    this.intake = intake;
  }

  static void write(Connection connection, String tenant, List<Placed> events, long nowMillis)
      throws SQLException {
    Intake intake = new Intake(SegmentMark.lock(connection, tenant, Intake.firstSegment(events)));
    new RowWriter(connection, tenant, nowMillis, intake).write(events);
  }

  private void write(List<Placed> events) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "insert into rowhouse_usage_rows (tenant, segment, sequence_number, part, usage_hour,"
                + " model, answered_by, key_id, "
                + Sums.COLUMNS
                + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      for (Placed placed : events) {
        if (isNew(placed)) {
          insert(insert, placed);
          intake.attempts(placed.event());
        }
        intake.seal(placed.event());
      }
      insert.executeBatch();
    }
    Unknowns unknowns = new Unknowns(connection, tenant);
    unknowns.add(intake.givenUp());
    if (unknowns.hasAny(intake.settled())) {
      intake.settledAfterAll();
    }
    SegmentMark.write(connection, tenant, intake.before(), intake.marks());
    String doubt = intake.doubt();
    if (doubt != null) {
      Doubts.add(connection, tenant, doubt, nowMillis);
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
}
