package dev.rowhouse.serving;

import dev.rowhouse.tenant.TenantId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The requests that this node's gateway has in hand, by tenant. As many as the listener lets in;
 * any thread may ask.
 */
public final class InHand {
  private final Map<TenantId, Set<ActorRef<Object>>> requests = new ConcurrentHashMap<>();

  void add(TenantId tenant, ActorRef<Object> request) {
    requests.compute(
        tenant,
        (_, known) -> {
          Set<ActorRef<Object>> all = known == null ? ConcurrentHashMap.newKeySet() : known;
          all.add(request);
          return all;
        });
  }

  void remove(TenantId tenant, ActorRef<Object> request) {
    requests.computeIfPresent(
        tenant,
        (_, known) -> {
          known.remove(request);
          return known.isEmpty() ? null : known;
        });
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return requests.isEmpty();
  }

  List<ActorRef<Object>> of(TenantId tenant) {
    return List.copyOf(requests.getOrDefault(tenant, Set.of()));
  }
}
