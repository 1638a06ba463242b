package dev.rowhouse.fairness;

import java.util.function.Function;

/** A mistake that the simulation must find: what the product would be without one of its rules. */
enum Mutation {
  NONE,
  /** A worker accepts a ticket of any number. */
  SEQUENCE_NOT_CHECKED,
  /** A worker obeys coordinators of the past. */
  EPOCH_NOT_CHECKED,
  /** Who returns keeps the low counter of its idleness. */
  NO_LIFT,
  /** The estimate stays in the counter when the run is over. */
  ESTIMATE_NOT_REFUNDED,
  /** What a run was charged while it streamed is not remembered, so it is charged twice. */
  PROGRESS_NOT_SETTLED,
  /** What a run has cost is not counted. */
  COST_NOT_SETTLED;

  WorkerSlots workerSlots(String worker, long incarnation) {
    return new WorkerSlots(worker, incarnation) {
      @Override
      SlotTable newTable(String pool) {
        return new SlotTable(pool, worker, incarnation) {
          @Override
          boolean isCurrent(long ticketSeq, long slotSeq) {
            return Mutation.this == SEQUENCE_NOT_CHECKED || super.isCurrent(ticketSeq, slotSeq);
          }
        };
      }

      @Override
      boolean isOld(long commandEpoch) {
        return super.isOld(commandEpoch) && Mutation.this != EPOCH_NOT_CHECKED;
      }
    };
  }

  /** Queues that tell by how much each tenant was lifted. */
  Function<Integer, FairQueue> queues(ChargedIsActual charged) {
    return accountsMax ->
        new FairQueue(accountsMax, FairnessSimulation.SETTINGS.liftCreditCost()) {
          {
            charged.opened();
          }

          @Override
          double lift() {
            return Mutation.this == NO_LIFT ? 0 : super.lift();
          }

          @Override
          void lift(Account account) {
            double before = account.counter;
            super.lift(account);
            charged.lifted(account.tenant, account.counter - before);
          }

          @Override
          void refund(String tenant, double charge) {
            if (Mutation.this != ESTIMATE_NOT_REFUNDED) {
              super.refund(tenant, charge);
            }
          }

          @Override
          double progress(String tenant, double charge, double spentCost) {
            double now = super.progress(tenant, charge, spentCost);
            return Mutation.this == PROGRESS_NOT_SETTLED ? charge : now;
          }

          @Override
          void settle(String tenant, double cost, double apartShare) {
            if (Mutation.this != COST_NOT_SETTLED) {
              super.settle(tenant, cost, apartShare);
            }
          }
        };
  }
}
