package dev.rowhouse.fairness;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What must hold in every run of the simulation, each by its name. */
final class SimulationInvariants {
  private SimulationInvariants() {}

  /** Rounding of sums of costs. */
  private static final double EPSILON = 1e-6;

  static final class Broken extends AssertionError {
    Broken(Class<?> invariant, String what) {
      super(invariant.getSimpleName() + ": " + what);
    }
  }

  private record SlotId(String worker, long incarnation, int slot) {
    static SlotId of(SlotTicket ticket) {
      return new SlotId(ticket.worker(), ticket.incarnation(), ticket.slot());
    }
  }

  static final class OneRunPerSlot {
    private final Set<SlotId> running = new HashSet<>();

    void began(SlotTicket ticket) {
      if (!running.add(SlotId.of(ticket))) {
        throw new Broken(getClass(), ticket.toString());
      }
    }

    void ended(SlotTicket ticket) {
      running.remove(SlotId.of(ticket));
    }
  }

  static final class TicketAcceptedOnce {
    private final Set<SlotTicket> accepted = new HashSet<>();

    void accepted(SlotTicket ticket) {
      if (!accepted.add(ticket)) {
        throw new Broken(getClass(), ticket.toString());
      }
    }
  }

  /** After each step of a coordinator nothing that it could still do is left. */
  static final class NoFreeSlotBesideDemand {
    void check(CoordinatorState state) {
      for (PoolState pool : state.pools()) {
        boolean listens = pool.workers().slotsTotal() != null;
        if (!listens && pool.freeForThoseThatWait() > 0 && pool.queue().wantsTotal() > 0) {
          throw new Broken(
              getClass(),
              pool.freeForThoseThatWait()
                  + " free beside "
                  + pool.queue().wantsTotal()
                  + " wanted");
        }
      }
    }
  }

  /**
   * Estimates come and go; what was settled stays, as long as the pool is known: one without
   * workers and demands is forgotten.
   */
  static final class CountersNeverRegress {
    private final Map<String, Double> last = new HashMap<>();
    private @Nullable FairQueue queue;

    void check(CoordinatorState state) {
      for (PoolState pool : state.pools()) {
        if (!pool.queue().equals(queue)) {
          last.clear();
          queue = pool.queue();
        }
        for (Account account : pool.queue().accounts()) {
          double settled = account.settledCounter();
          Double before = last.put(account.tenant, settled);
          if (before != null && settled < before - EPSILON) {
            throw new Broken(getClass(), account.tenant + " " + before + " -> " + settled);
          }
        }
      }
    }
  }

  /** A command of a coordinator that has a successor which this worker knows changes nothing. */
  static final class OldEpochsAreNotObeyed {
    private long highest;

    /** A new life of the worker knows nobody. */
    void restarted() {
      highest = 0;
    }

    void check(SimulatedWorker worker, SlotOwner.SlotCommand command, Runnable obey) {
      Long epoch =
          switch (command) {
            case SlotOwner.Grant grant -> grant.epoch();
            case SlotOwner.Recall recall -> recall.epoch();
            case SlotOwner.Reclaim reclaim -> reclaim.epoch();
            case SlotOwner.Return _ -> null;
          };
      if (epoch == null || epoch >= highest) {
        highest = epoch == null ? highest : epoch;
        obey.run();
        return;
      }
      List<PoolTable.SlotRow> before = worker.rows();
      obey.run();
      if (!before.equals(worker.rows())) {
        throw new Broken(getClass(), command + " after epoch " + highest);
      }
    }
  }

  /** Who starts to wait is below the lowest counter of those that wait by its credit at most. */
  static final class WhoReturnsIsLifted {
    private Map<String, Double> waitingBefore = Map.of();
    private Map<String, Double> unsettledBefore = Map.of();
    private @Nullable FairQueue queue;

    void check(CoordinatorState state) {
      for (PoolState pool : state.pools()) {
        if (!pool.queue().equals(queue)) {
          waitingBefore = Map.of();
          unsettledBefore = Map.of();
          queue = pool.queue();
        }
        Map<String, Double> waiting = new HashMap<>();
        Map<String, Double> unsettled = new HashMap<>();
        double lowest = Double.POSITIVE_INFINITY;
        for (Account account : pool.queue().accounts()) {
          unsettled.put(account.tenant, account.unsettled);
          if (account.wants() > 0) {
            waiting.put(account.tenant, account.settledCounter());
          }
          Double before = waitingBefore.get(account.tenant);
          if (before != null) {
            lowest = Math.min(lowest, Math.min(before, account.settledCounter()));
          }
        }
        for (Account account : pool.queue().accounts()) {
          boolean returns = account.wants() > 0 && !waitingBefore.containsKey(account.tenant);
          double credit = FairnessSimulation.SETTINGS.liftCreditCost();
          double open = unsettledBefore.getOrDefault(account.tenant, 0.0);
          if (returns
              && lowest < Double.POSITIVE_INFINITY
              && account.counter + open + credit / account.weight < lowest - EPSILON) {
            throw new Broken(getClass(), account.tenant + " " + account.counter + " < " + lowest);
          }
        }
        waitingBefore = waiting;
        unsettledBefore = unsettled;
      }
    }
  }

  /** Once the network is well, everything that was asked is answered. */
  static final class EveryRequestEnds {
    void check(List<SimulatedTenant> tenants) {
      for (SimulatedTenant tenant : tenants) {
        if (tenant.unfinished() > 0) {
          throw new Broken(getClass(), tenant.name + " has " + tenant.unfinished() + " left");
        }
      }
    }
  }

  /** The estimates in a tenant's counter are those of its slots whose first run is not over. */
  static final class EstimatesAreOwedBySlots {
    void check(CoordinatorState state) {
      for (PoolState pool : state.pools()) {
        Map<String, Double> owed = new HashMap<>();
        pool.workers()
            .slots()
            .filter(slot -> slot.tenant != null)
            .forEach(slot -> owed.merge(slot.tenant, slot.charge, Double::sum));
        for (Account account : pool.queue().accounts()) {
          double due = owed.getOrDefault(account.tenant, 0.0);
          if (Math.abs(account.unsettled - due) > EPSILON) {
            throw new Broken(
                getClass(), account.tenant + " has " + account.unsettled + ", slots owe " + due);
          }
        }
      }
    }
  }

  /** At rest the coordinator believes of each slot what its worker knows, and that nobody waits. */
  static final class ViewsAgree {
    void check(CoordinatorState state, List<SimulatedWorker> workers) {
      for (PoolState pool : state.pools()) {
        for (SimulatedWorker worker : workers) {
          PoolWorker seen = pool.workers().get(worker.name);
          Set<String> believed = new HashSet<>();
          if (seen != null) {
            seen.slots().forEach(slot -> believed.add(slot.index + " " + slot.seq + slot.tenant));
          }
          Set<String> known = new HashSet<>();
          worker.rows().forEach(row -> known.add(row.slot() + " " + row.seq() + row.holder()));
          if (!believed.equals(known)) {
            throw new Broken(getClass(), worker.name + " " + known + " but " + believed);
          }
        }
        if (pool.queue().wantsTotal() > 0) {
          throw new Broken(getClass(), "thinks that " + pool.queue().wantsTotal() + " wait");
        }
      }
    }
  }

  /** A slot that runs nothing beside a tenant that waits and may have it: not for long. */
  static final class NoSlotIdlesBesideDemand {
    /**
     * The recall window: a demand and a table of the beat (1 s each), the grace, and the way. A
     * ticket that was lost with its holder takes the expiry of a grant.
     */
    static final long WINDOW_MILLIS = 3_500;

    private final Map<String, Long> idleSince = new HashMap<>();

    void check(
        List<SimulatedWorker> workers,
        List<SimulatedTenant> tenants,
        @Nullable Integer slotsTotal,
        long nowMillis) {
      boolean waits = tenants.stream().anyMatch(tenant -> tenant.wants() > 0);
      boolean smallWaits =
          tenants.stream().anyMatch(tenant -> tenant.wants() > 0 && tenant.hasSmall());
      Map<String, Long> idle = new HashMap<>();
      int slots = 0;
      int running = 0;
      for (SimulatedWorker worker : workers) {
        for (PoolTable.SlotRow row : worker.rows()) {
          slots++;
          if (row.running()) {
            running++;
          } else {
            String id = worker.name + " " + row.slot() + " " + row.seq();
            idle.put(id, idleSince.getOrDefault(id, nowMillis));
          }
        }
      }
      int usable = slotsTotal == null ? slots : Math.min(slots, slotsTotal);
      int kept = smallWaits ? 0 : (int) (FairnessSimulation.SETTINGS.smallShare() * usable);
      if (!waits || running >= usable - kept) {
        idleSince.clear();
        return;
      }
      idleSince.clear();
      idleSince.putAll(idle);
      // So many of them may idle; the others may not for long.
      int allowed = slots - usable + kept;
      long tooLong =
          idle.values().stream().filter(since -> nowMillis - since > WINDOW_MILLIS).count();
      if (tooLong > allowed) {
        throw new Broken(getClass(), idle + " at " + nowMillis);
      }
    }
  }

  /** When nothing goes wrong, who waits gets its next slot within what the bound allows others. */
  static final class NoTenantStarves {
    /** Time-outs and beats, as in {@link NoSlotIdlesBesideDemand}, and one run. */
    private static final long OVERHEAD_MILLIS = 5_000;

    void check(List<SimulatedTenant> tenants, List<SimulatedWorker> workers) {
      for (SimulatedTenant tenant : tenants) {
        if (tenant.wants() > 0 && tenant.headWaitMillis() > OVERHEAD_MILLIS) {
          int slots = workers.stream().mapToInt(worker -> worker.rows().size()).sum();
          double allowed = OVERHEAD_MILLIS + othersMillis(tenant, tenants, Math.max(1, slots));
          if (tenant.headWaitMillis() > allowed) {
            throw new Broken(
                getClass(), tenant.name + " waits " + tenant.headWaitMillis() + " > " + allowed);
          }
        }
      }
    }

    /** What others may be served before this one, by the bound, as time of the pool. */
    private static double othersMillis(
        SimulatedTenant tenant, List<SimulatedTenant> tenants, int slots) {
      double millis = 0;
      boolean reserved = tenants.stream().anyMatch(any -> any.load.hasReservation());
      for (SimulatedTenant other : tenants) {
        if (!other.equals(tenant)) {
          double cost =
              other.load.terms().weight() * (side(tenant.load, slots) + side(other.load, slots));
          double mean = (1 + other.load.costMax()) / 2.0;
          millis += cost * (5 + mean) / mean / slots;
        }
      }
      return reserved ? millis / (1 - FairQueue.RESERVABLE_SHARE) : millis;
    }

    private static double side(SimulatedLoad load, int slots) {
      double charge = load.estimate();
      double cost = load.costMax();
      return (charge + slots * cost + slots * charge + slots * (charge + cost))
          / load.terms().weight();
    }
  }
}
