package dev.rowhouse.fairness;

/**
 * The fair queue with one change that is tried here: who starts to wait keeps a bounded credit, so
 * it is lifted to less than the least counter by that much. Without credit it is the fair queue.
 */
final class CreditedQueue extends FairQueue {
  private final double creditCost;

  CreditedQueue(int accountsMax, double creditCost) {
    super(accountsMax);
    this.creditCost = creditCost;
  }

  @Override
  double lift() {
    return super.lift() - creditCost;
  }
}
