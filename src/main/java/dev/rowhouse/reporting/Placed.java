package dev.rowhouse.reporting;

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
 */
record Placed(long segment, long sequence, LedgerEvent event, @Nullable String hash) {

  /** Events by tenant, each tenant's in the order in which they came. */
  static Map<String, List<Placed>> byTenant(List<EventEnvelope<LedgerEvent>> events) {
    Map<String, List<Placed>> byTenant = new LinkedHashMap<>();
    for (EventEnvelope<LedgerEvent> envelope : events) {
      SegmentId id = SegmentId.of(envelope.persistenceId());
      byTenant
          .computeIfAbsent(id.tenant().value(), _ -> new ArrayList<>())
          .add(
              new Placed(
                  id.number(), envelope.sequenceNr(), envelope.event(), envelope.event().chain()));
    }
    return byTenant;
  }
}
