package dev.rowhouse.fairness;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

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

  /** Estimates come and go; what was settled stays. */
  static final class CountersNeverRegress {
    private final Map<String, Double> last = new HashMap<>();

    void check(CoordinatorState state) {
      for (PoolState pool : state.pools()) {
        for (FairQueue.Account account : pool.queue().accounts()) {
          double settled = account.settledCounter();
          Double before = last.put(account.tenant, settled);
          if (before != null && settled < before - EPSILON) {
            throw new Broken(getClass(), account.tenant + " " + before + " -> " + settled);
          }
        }
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
        for (FairQueue.Account account : pool.queue().accounts()) {
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
}
