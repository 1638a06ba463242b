package dev.rowhouse.serving;

import dev.rowhouse.tenant.TenantId;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The gateways that were told of a reset and refuse this tenant's excess until then, so that they
 * hear it when its limits change. Bounded: a gateway that was pushed out believes a refusal at most
 * {@code rowhouse.serving.throttle.at-most} longer.
 */
final class ToldGateways {
  /** More gateways than a cluster of this kind has. */
  private static final int GATEWAYS_MAX = 100;

  private final TenantId tenant;
  private final Set<ActorRef<Throttle.Notice>> told = new LinkedHashSet<>();

  ToldGateways(TenantId tenant) {
    this.tenant = tenant;
  }

  /** Tells the gateway of that request that it can repeat this refusal by itself. */
  void refused(TenantEntity.Admit admit, Refusal refusal, LimitsView limits) {
    ActorRef<Throttle.Notice> throttle = admit.throttle();
    if (throttle == null || !Throttle.isRepeatable(refusal)) {
      return;
    }
    throttle.tell(new Throttle.Until(tenant, Throttle.Need.of(admit.ask()), refusal, limits));
    if (told.add(throttle) && told.size() > GATEWAYS_MAX) {
      Iterator<ActorRef<Throttle.Notice>> oldest = told.iterator();
      oldest.next();
      oldest.remove();
    }
  }

  /** Limits are others now, or this actor ends and cannot say when they will be. */
  void forget() {
    told.forEach(throttle -> throttle.tell(new Throttle.Forget(tenant)));
    told.clear();
  }
}
