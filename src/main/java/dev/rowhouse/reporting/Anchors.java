package dev.rowhouse.reporting;

import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.SegmentId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The newest heads of the ledgers' hash chains, told to the witness: those of the segments that
 * have changed since they were told last.
 */
final class Anchors {
  private record Head(String tenant, long segment, long sequence, String hash) {}

  private Anchors() {}

  /** Tells of some segments; the others have their turn next. */
  static CompletionStage<?> tell(Transactions transactions, Witness witness, int max) {
    return transactions
        .run("read the heads of ledgers", connection -> changed(connection, max))
        .thenCompose(
            heads -> {
              if (heads.isEmpty()) {
                return CompletableFuture.completedFuture(0);
              }
              Map<String, String> told = new TreeMap<>();
              for (Head head : heads) {
                told.put(
                    new SegmentId(new TenantId(head.tenant()), head.segment()).persistenceId(),
                    head.sequence() + " " + head.hash());
              }
              return witness
                  .anchor(told)
                  .thenCompose(
                      _ ->
                          transactions.run(
                              "remember the anchors", connection -> mark(connection, heads)));
            });
  }

  private static List<Head> changed(Connection connection, int max) throws SQLException {
    List<Head> heads = new ArrayList<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "select tenant, segment, seen, head from rowhouse_usage_segments"
                + " where head is not null and seen > anchored limit ?")) {
      select.setInt(1, max);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          heads.add(
              new Head(rows.getString(1), rows.getLong(2), rows.getLong(3), rows.getString(4)));
        }
      }
    }
    return heads;
  }

  private static int mark(Connection connection, List<Head> heads) throws SQLException {
    try (PreparedStatement update =
        connection.prepareStatement(
            "update rowhouse_usage_segments set anchored = ? where tenant = ? and segment = ?")) {
      for (Head head : heads) {
        update.setLong(1, head.sequence());
        update.setString(2, head.tenant());
        update.setLong(3, head.segment());
        update.addBatch();
      }
      update.executeBatch();
    }
    return heads.size();
  }
}
