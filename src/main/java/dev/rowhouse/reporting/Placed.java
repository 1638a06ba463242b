package dev.rowhouse.reporting;

import dev.rowhouse.journal.UnreadableEvent;
import dev.rowhouse.usage.LedgerEvent;
import dev.rowhouse.usage.SegmentId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.projection.eventsourced.EventEnvelope;
import org.jspecify.annotations.Nullable;

/**
 * An event of a ledger and where it stands.
 *
 * @param hash the end of its chain; absent when it has none
 * @param fault why it cannot be read; the event has no records then
 */
record Placed(
    long segment, long sequence, LedgerEvent event, @Nullable String hash, @Nullable String fault) {

  private static final LedgerEvent NOTHING = new LedgerEvent.Recorded(List.of(), List.of());

  /** Events by tenant, each tenant's in the order in which they came. */
  static Map<String, List<Placed>> byTenant(List<EventEnvelope<Object>> events) {
    Map<String, List<Placed>> byTenant = new LinkedHashMap<>();
    for (EventEnvelope<Object> envelope : events) {
      SegmentId id = SegmentId.of(envelope.persistenceId());
      byTenant
          .computeIfAbsent(id.tenant().value(), _ -> new ArrayList<>())
          .add(placed(id.number(), envelope.sequenceNr(), envelope.event()));
    }
    return byTenant;
  }

  private static Placed placed(long segment, long sequence, Object journaled) {
    return switch (journaled) {
      case LedgerEvent event -> new Placed(segment, sequence, event, event.chain(), null);
      case UnreadableEvent unreadable ->
          new Placed(
              segment, sequence, NOTHING, null, String.valueOf(unreadable.failure().getMessage()));
      default -> throw new IllegalStateException("no event of a ledger: " + journaled.getClass());
    };
  }
}
