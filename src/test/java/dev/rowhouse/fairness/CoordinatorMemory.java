package dev.rowhouse.fairness;

import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;

/** The heap that a coordinator's knowledge of one active tenant takes, addresses included. */
public final class CoordinatorMemory {
  private CoordinatorMemory() {}

  /**
   * Two states, the second with so many more tenants, each with a demand of its own from another
   * node; the difference of what they keep alive, per tenant.
   */
  public static double bytesPerTenant(ActorSystem<?> system, FairnessSettings settings, int more) {
    List<CoordinatorState> kept = new ArrayList<>();
    kept.add(filled(system, settings, 1_000));
    long before = usedHeap();
    kept.add(filled(system, settings, more));
    long after = usedHeap();
    if (kept.size() != 2) {
      throw new IllegalStateException("the states must be alive until here");
    }
    return (double) (after - before) / more;
  }

  /** The part of it that is the address of the tenant's actor. */
  public static double bytesPerAddress(ActorSystem<?> system, int addresses) {
    List<ActorRef<SlotHolder>> kept = new ArrayList<>(addresses);
    long before = usedHeap();
    for (int number = 0; number < addresses; number++) {
      kept.add(address(system, "address-" + number, number));
    }
    long after = usedHeap();
    if (kept.size() != addresses) {
      throw new IllegalStateException("the addresses must be alive until here");
    }
    return (double) (after - before) / addresses;
  }

  private static ActorRef<SlotHolder> address(ActorSystem<?> system, String tenant, int number) {
    return ActorRefResolver.get(system)
        .resolveActorRef(
            "pekko://rowhouse@10.0.0.7:25520/system/sharding/tenant/"
                + number % 1_000
                + "/"
                + tenant
                + "#"
                + (100_000_000 + number));
  }

  private static CoordinatorState filled(
      ActorSystem<?> system, FairnessSettings settings, int tenants) {
    CoordinatorState state = new CoordinatorState(settings);
    state.activate(1, 0);
    for (int number = 0; number < tenants; number++) {
      String tenant = "tenant-" + tenants + "-" + number;
      ActorRef<SlotHolder> holder = address(system, tenant, number);
      state.demand(
          new SlotUser(tenant, 1, holder)
              .demand("m", Terms.of(1 + number % 3), new Backlog(5, 100, 2, 50, 10, 10)),
          0);
    }
    return state;
  }

  private static long usedHeap() {
    for (int round = 0; round < 3; round++) {
      System.gc();
    }
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }
}
