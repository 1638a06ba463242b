package dev.rowhouse.replay;

import dev.rowhouse.fairness.FairTurns;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One pool on a virtual clock of milliseconds: requests come at their times, wait their turn in the
 * fair queue of the product, hold a slot for as long as {@link ServiceModel} says, and are refused
 * when their tenant's queue is full or they have waited too long.
 *
 * <p>It leaves out what messages cost: a slot changes hands at once, where the product takes some
 * milliseconds. Limits on rates and budgets are not applied: only what was admitted is recorded.
 *
 * <p>Entitlement is a tenant's weight over the weights of all that hold or want slots, over the
 * time in which somebody waits; the contended share is what it got of the cost of that time. The
 * two agree for a tenant that wants more than its part all that time.
 */
final class PoolSimulation {
  private static final int EVENTS_BETWEEN_LOOKS = 4_096;

  /**
   * The pool.
   *
   * @param smallSlots slots kept for small requests
   * @param progressMillis how often runs are charged for what they have spent
   */
  record Setting(
      int slots,
      int smallSlots,
      double smallCostMax,
      double creditCost,
      Changes.Estimate estimate,
      double inputWeight,
      double outputWeight,
      long progressMillis) {}

  /** A request in the pool. */
  static final class Job {
    final PoolTenant tenant;
    final long arrivalMillis;
    final int inputTokens;
    final int outputTokens;
    final int runMillis;
    final double cost;
    private long beginMillis;
    private double contendedAtBegin;

    private Job(
        PoolTenant tenant,
        long arrivalMillis,
        int inputTokens,
        int outputTokens,
        int runMillis,
        double cost) {
      this.tenant = tenant;
      this.arrivalMillis = arrivalMillis;
      this.inputTokens = inputTokens;
      this.outputTokens = outputTokens;
      this.runMillis = runMillis;
      this.cost = cost;
    }
  }

  private record Run(FairTurns.Running<Job> running, long endMillis, long order)
      implements Comparable<Run> {
    @Override
    public int compareTo(Run other) {
      int byEnd = Long.compare(endMillis, other.endMillis);
      return byEnd != 0 ? byEnd : Long.compare(order, other.order);
    }
  }

  private final Setting setting;
  private final BooleanSupplier cancelled;
  private final FairTurns<Job> turns;
  private final OutputMeans means;
  private final Map<String, PoolTenant> tenants = new LinkedHashMap<>();
  private final PriorityQueue<Run> runs = new PriorityQueue<>();
  private final PriorityQueue<FairTurns.Waiting<Job>> deadlines =
      new PriorityQueue<>(Comparator.comparingLong(PoolSimulation::deadlineMillis));
  private long nowMillis;
  private long beginMillis;
  private long progressAtMillis;
  private long order;
  private int waiting;
  private int largeTaken;
  private double weightActive;
  private double busySlotMillis;
  private double contendedMillis;

  /** The time in which somebody waited, each moment over the weights that were active in it. */
  private double perWeight;

  PoolSimulation(Setting setting, List<PoolTenant> tenants, BooleanSupplier cancelled) {
    this.setting = setting;
    this.cancelled = cancelled;
    this.turns = new FairTurns<>(Math.max(1, tenants.size()), setting.creditCost());
    this.means = new OutputMeans(setting.estimate());
    turns.capacity(setting.slots());
    for (PoolTenant tenant : tenants) {
      this.tenants.put(tenant.name, tenant);
      turns.terms(tenant.name, tenant.terms);
    }
  }

  /** Serves those rows, which are in the order of time, to their end. */
  void run(Arrivals arrivals, int[] rows, ServiceModel service) {
    int next = 0;
    long events = 0;
    if (rows.length > 0) {
      nowMillis = arrivals.timeMillis(rows[0]);
      beginMillis = nowMillis;
    }
    while (next < rows.length || !runs.isEmpty() || waiting > 0) {
      if (++events % EVENTS_BETWEEN_LOOKS == 0 && cancelled.getAsBoolean()) {
        throw new ReplayProblem(499, "cancelled", null, "The replay was cancelled.");
      }
      pass(nextMillis(next < rows.length ? arrivals.timeMillis(rows[next]) : Long.MAX_VALUE));
      endRuns();
      endWaits();
      chargeProgress();
      begin();
      while (next < rows.length && arrivals.timeMillis(rows[next]) <= nowMillis) {
        PoolTenant tenant = arrive(arrivals, rows[next], service);
        begin();
        tenant.queueLengthMost = Math.max(tenant.queueLengthMost, tenant.waiting);
        next++;
      }
    }
    tenants.values().stream()
        .filter(PoolTenant::isActive)
        .forEach(tenant -> tenant.activeUntil(perWeight));
  }

  private long nextMillis(long arrivalMillis) {
    long next = arrivalMillis;
    Run run = runs.peek();
    if (run != null) {
      next = Math.min(next, run.endMillis());
    }
    FairTurns.Waiting<Job> oldest = oldestWaiting();
    if (oldest != null) {
      next = Math.min(next, deadlineMillis(oldest));
      // Progress changes whose turn it is only while somebody waits.
      if (!runs.isEmpty()) {
        next = Math.min(next, progressAtMillis);
      }
    }
    return Math.max(next, nowMillis);
  }

  private FairTurns.@Nullable Waiting<Job> oldestWaiting() {
    FairTurns.Waiting<Job> first = deadlines.peek();
    while (first != null && first.isGone()) {
      deadlines.remove();
      first = deadlines.peek();
    }
    return first;
  }

  private static long deadlineMillis(FairTurns.Waiting<Job> waiting) {
    Job job = waiting.request();
    return job.arrivalMillis + job.tenant.timeoutMillis;
  }

  private void pass(long untilMillis) {
    double passed = untilMillis - nowMillis;
    busySlotMillis += passed * runs.size();
    if (waiting > 0) {
      contendedMillis += passed;
      perWeight += passed / weightActive;
    }
    nowMillis = untilMillis;
  }

  private void endRuns() {
    Run first = runs.peek();
    while (first != null && first.endMillis() <= nowMillis) {
      runs.remove();
      Job job = first.running().request();
      turns.end(first.running(), job.cost);
      means.learn(job.tenant.name, job.outputTokens);
      largeTaken -= first.running().small() ? 0 : 1;
      job.tenant.cost += job.cost;
      job.tenant.contendedCost +=
          job.cost * (contendedMillis - job.contendedAtBegin) / job.runMillis;
      job.tenant.running--;
      deactivate(job.tenant);
      first = runs.peek();
    }
  }

  private void endWaits() {
    FairTurns.Waiting<Job> oldest = oldestWaiting();
    while (oldest != null && deadlineMillis(oldest) <= nowMillis) {
      turns.left(oldest);
      PoolTenant tenant = oldest.request().tenant;
      tenant.timedOut++;
      tenant.waiting--;
      waiting--;
      deactivate(tenant);
      oldest = oldestWaiting();
    }
  }

  private PoolTenant arrive(Arrivals arrivals, int row, ServiceModel service) {
    PoolTenant tenant = tenant(arrivals.name(arrivals.tenant(row)));
    tenant.arrived++;
    if (tenant.waiting >= tenant.queueLengthMax && (waiting > 0 || isFull())) {
      tenant.refusedQueueFull++;
      return tenant;
    }
    int input = arrivals.inputTokens(row);
    int output = arrivals.outputTokens(row);
    Job job =
        new Job(
            tenant,
            arrivals.timeMillis(row),
            input,
            output,
            service.runMillis(arrivals, row),
            setting.inputWeight() * input + setting.outputWeight() * output);
    double estimate =
        setting.inputWeight() * input + setting.outputWeight() * means.tokens(tenant.name, output);
    if (!tenant.isActive()) {
      weightActive += tenant.terms.weight();
      tenant.activeFrom(perWeight);
    }
    deadlines.add(turns.arrived(tenant.name, job, estimate, estimate <= setting.smallCostMax()));
    if (waiting == 0) {
      progressAtMillis = nowMillis + setting.progressMillis();
    }
    waiting++;
    tenant.waiting++;
    return tenant;
  }

  private void chargeProgress() {
    if (waiting > 0 && nowMillis >= progressAtMillis) {
      for (Run run : runs) {
        Job job = run.running().request();
        double part = (double) (nowMillis - job.beginMillis) / job.runMillis;
        turns.progress(run.running(), job.cost * part);
      }
      progressAtMillis = nowMillis + setting.progressMillis();
    }
  }

  private void begin() {
    while (runs.size() < setting.slots()) {
      FairTurns.Turn<Job> turn = turns.next(isFull());
      if (turn == null) {
        return;
      }
      FairTurns.Running<Job> running = turns.begin(turn);
      Job job = running.request();
      job.beginMillis = nowMillis;
      job.contendedAtBegin = contendedMillis;
      largeTaken += running.small() ? 0 : 1;
      PoolTenant tenant = job.tenant;
      tenant.waiting--;
      tenant.running++;
      waiting--;
      tenant.waits.add(nowMillis - job.arrivalMillis);
      tenant.inputTokens += job.inputTokens;
      tenant.outputTokens += job.outputTokens;
      runs.add(new Run(running, nowMillis + job.runMillis, ++order));
    }
  }

  /** Whether what is left is for small requests only. */
  private boolean isFull() {
    return largeTaken >= setting.slots() - setting.smallSlots();
  }

  private void deactivate(PoolTenant tenant) {
    if (!tenant.isActive()) {
      weightActive = Math.max(0, weightActive - tenant.terms.weight());
      tenant.activeUntil(perWeight);
    }
  }

  private PoolTenant tenant(String name) {
    PoolTenant tenant = tenants.get(name);
    if (tenant == null) {
      throw new IllegalStateException("no terms of " + name);
    }
    return tenant;
  }

  Collection<PoolTenant> tenants() {
    return tenants.values();
  }

  /** From the first arrival to the last end. */
  long spanMillis() {
    return nowMillis - beginMillis;
  }

  double contendedMillis() {
    return contendedMillis;
  }

  /** The part of all slots and the whole time in which a run was on. */
  double utilisation() {
    return PoolTenant.part(busySlotMillis, (double) spanMillis() * setting.slots());
  }
}
