package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The bound on unfairness, on the real coordinator state and slot tables with a network that takes
 * no time: for tenants f and g that wait throughout, the settled costs S over the weights w differ
 * by no more than
 *
 * <pre>
 *   (E_f + K*U_f)/w_f + K*O_g/w_g + (E_g + K*U_g)/w_g + K*O_f/w_f + K*(E_f+Q)/w_f + K*(E_g+Q)/w_g
 * </pre>
 *
 * where E is the charge at grant, K the slots, U and O the largest under- and over-estimate of a
 * run, and Q the largest unreported cost, here none.
 */
class WeightedShareTest {
  private static final int LARGEST_RUN = 200;
  private static final int ESTIMATE = 100;
  private static final int RUNS = 5_000;

  private static final ActorRef<SlotOwner> WORKER = TestInbox.<SlotOwner>create("w").getRef();

  private record Run(long endMillis, SlotTicket ticket, String tenant, String attempt, int cost)
      implements Comparable<Run> {
    @Override
    public int compareTo(Run other) {
      return Long.compare(endMillis, other.endMillis);
    }
  }

  private final CoordinatorState state = new CoordinatorState(FairnessSimulation.SETTINGS);
  private final WorkerSlots slots = new WorkerSlots("w", 1);
  private final PriorityQueue<Run> runs = new PriorityQueue<>();
  private final Map<String, Double> settled = new HashMap<>();
  private final Map<ActorRef<SlotHolder>, SlotUser> users = new HashMap<>();
  private final Map<String, Double> weights = new HashMap<>();
  private final List<PoolState.Send> toWorker = new ArrayList<>();
  private Random random = new Random(0);
  private long nowMillis;
  private long attempts;

  private void tenant(String name, double weight) {
    ActorRef<SlotHolder> holder = TestInbox.<SlotHolder>create(name).getRef();
    users.put(holder, new SlotUser(name, 1, holder));
    weights.put(name, weight);
    settled.put(name, 0.0);
  }

  private void demand(SlotUser user) {
    double weight = weights.getOrDefault(user.tenant(), 1.0);
    toWorker.addAll(
        state.demand(
            user.demand(FairnessSimulation.POOL, Terms.of(weight), Backlog.of(1_000, ESTIMATE)),
            nowMillis));
  }

  private void deliver() {
    while (!toWorker.isEmpty()) {
      List<PoolState.Send> batch = List.copyOf(toWorker);
      toWorker.clear();
      batch.forEach(send -> perform(slots.on(send.command())));
    }
  }

  private void perform(List<SlotEffect> effects) {
    for (SlotEffect effect : effects) {
      switch (effect) {
        case SlotEffect.Mint mint -> start(mint);
        case SlotEffect.Withdraw _ -> {}
        case SlotEffect.Report report -> {
          if (report.urgent()) {
            toWorker.addAll(state.workerTable(slots.table(WORKER), nowMillis));
          }
        }
      }
    }
  }

  private void start(SlotEffect.Mint mint) {
    SlotUser user = users.get(mint.holder());
    if (user == null || !user.offer(new SlotHolder.Held(mint.ticket(), WORKER, mint.small()))) {
      return;
    }
    user.take(FairnessSimulation.POOL, false);
    attempts++;
    String attempt = "a" + attempts;
    int cost = 1 + random.nextInt(LARGEST_RUN);
    slots.start(mint.ticket(), user.tenant(), attempt, nowMillis);
    runs.add(new Run(nowMillis + cost, mint.ticket(), user.tenant(), attempt, cost));
    demand(user);
  }

  private void finish(Run run) {
    nowMillis = run.endMillis();
    settled.merge(run.tenant(), (double) run.cost(), Double::sum);
    for (SlotUser user : users.values()) {
      if (user.tenant().equals(run.tenant())) {
        user.finished(run.ticket());
        demand(user);
      }
    }
    perform(slots.finish(run.ticket(), run.attempt(), run.cost(), 0, nowMillis));
    deliver();
  }

  @ParameterizedTest(name = "seed {0}, {1} slots, weight {2}")
  @CsvSource({"1,1,1", "2,1,3", "3,4,3", "4,8,2", "5,16,4", "6,3,7"})
  void settledCostsStayWithinTheBound(long seed, int slotCount, double weight) {
    random = new Random(seed);
    slots.catalog(FairnessSimulation.catalog(FairnessSimulation.model(slotCount, null)));
    toWorker.addAll(state.activate(1, 0));
    tenant("acme", 1);
    tenant("globex", weight);
    // The first table opens the pool with both tenants waiting.
    users.values().forEach(this::demand);
    toWorker.addAll(state.workerTable(slots.table(WORKER), 0));
    deliver();
    double over = ESTIMATE;
    double under = LARGEST_RUN - ESTIMATE;
    double bound =
        (1 + 1 / weight) * (ESTIMATE + slotCount * under + slotCount * over + slotCount * ESTIMATE);
    double largest = 0;
    for (int run = 0; run < RUNS; run++) {
      Run next = runs.poll();
      assertTrue(next != null, "nothing runs");
      finish(next);
      double difference =
          settled.getOrDefault("acme", 0.0) - settled.getOrDefault("globex", 0.0) / weight;
      largest = Math.max(largest, Math.abs(difference));
    }
    assertTrue(largest <= bound, largest + " is more than " + bound);
    double ratio = settled.getOrDefault("globex", 0.0) / settled.getOrDefault("acme", 1.0);
    assertEquals(weight, ratio, 0.05 * weight);
  }
}
