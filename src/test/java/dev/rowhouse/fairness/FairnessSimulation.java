package dev.rowhouse.fairness;

import dev.rowhouse.fairness.SimulationInvariants.EstimatesAreOwedBySlots;
import dev.rowhouse.fairness.SimulationInvariants.EveryRequestEnds;
import dev.rowhouse.fairness.SimulationInvariants.NoFreeSlotBesideDemand;
import dev.rowhouse.fairness.SimulationInvariants.NoSlotIdlesBesideDemand;
import dev.rowhouse.fairness.SimulationInvariants.NoTenantStarves;
import dev.rowhouse.fairness.SimulationInvariants.OneRunPerSlot;
import dev.rowhouse.fairness.SimulationInvariants.TicketAcceptedOnce;
import dev.rowhouse.fairness.SimulationInvariants.ViewsAgree;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * A cluster in one thread on a virtual clock: workers, tenants and coordinators made of the real
 * pure classes, and a network that drops, doubles, delays and reorders by a seed. {@link
 * SimulatedFaults} has what else goes wrong until {@link #CHAOS_MILLIS}; then all is well, and
 * everything must come to rest. In a contest nothing goes wrong and everybody always wants more.
 */
final class FairnessSimulation {
  static final long CHAOS_MILLIS = 8_000;

  /** By then every time-out that chaos left behind is over. */
  static final long CALM_MILLIS = 16_000;

  static final long END_MILLIS = 40_000;
  static final String POOL = "m";

  static final FairnessSettings SETTINGS =
      new FairnessSettings(
          Duration.ofMillis(100),
          Duration.ofSeconds(5),
          Duration.ofSeconds(5),
          Duration.ofSeconds(3),
          Duration.ofMillis(100),
          Duration.ofMillis(2_500),
          Duration.ofSeconds(15),
          Duration.ofMillis(200),
          Duration.ofSeconds(5),
          100,
          0.1,
          50,
          Duration.ofSeconds(1),
          1_000,
          10,
          100);

  /** Addresses are only compared here, so all simulations share some. */
  private static final List<ActorRef<SlotHolder>> HOLDERS =
      IntStream.range(0, 64)
          .mapToObj(number -> TestInbox.<SlotHolder>create("holder" + number).getRef())
          .toList();

  private static final List<ActorRef<SlotOwner>> WORKERS =
      IntStream.range(0, 64)
          .mapToObj(number -> TestInbox.<SlotOwner>create("worker" + number).getRef())
          .toList();

  private record Event(long atMillis, long order, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return atMillis != other.atMillis
          ? Long.compare(atMillis, other.atMillis)
          : Long.compare(order, other.order);
    }
  }

  final Random random;
  final Mutation mutation;
  final SpentCosts spent = new SpentCosts();
  final FairnessBound bound = new FairnessBound(this);
  final OneRunPerSlot oneRunPerSlot = new OneRunPerSlot();
  final TicketAcceptedOnce ticketAcceptedOnce = new TicketAcceptedOnce();
  final NoFreeSlotBesideDemand noFreeSlotBesideDemand = new NoFreeSlotBesideDemand();
  final EstimatesAreOwedBySlots estimatesAreOwedBySlots = new EstimatesAreOwedBySlots();
  private final NoSlotIdlesBesideDemand noSlotIdlesBesideDemand = new NoSlotIdlesBesideDemand();
  private final NoTenantStarves noTenantStarves = new NoTenantStarves();

  final List<SimulatedWorker> workers = new ArrayList<>();
  final List<SimulatedTenant> tenants = new ArrayList<>();
  final List<SimulatedCoordinator> coordinators = new ArrayList<>();
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final SimulatedFaults faults;
  private final @Nullable Integer slotsTotal;
  private long nowMillis;
  private long order;
  private long trace;
  private int workerRefs;
  private int holders;

  FairnessSimulation(long seed, Mutation mutation) {
    this.random = new Random(seed);
    this.mutation = mutation;
    boolean contest = seed % CONTEST_EVERY == 0;
    this.faults = new SimulatedFaults(this, contest);
    this.slotsTotal = !contest && random.nextInt(4) == 0 ? 1 + random.nextInt(4) : null;
    int workerCount = 1 + random.nextInt(3);
    for (int number = 0; number < workerCount; number++) {
      int slots = slotsTotal != null ? 0 : 1 + random.nextInt(random.nextInt(4) == 0 ? 8 : 3);
      workers.add(new SimulatedWorker(this, "w" + number, model(slots, slotsTotal)));
    }
    int tenantCount = contest ? 2 + random.nextInt(3) : 1 + random.nextInt(5);
    for (int number = 0; number < tenantCount; number++) {
      SimulatedLoad load =
          contest
              ? SimulatedLoad.contender(random, number == 0 ? 0 : random.nextInt(1_500), 400)
              : SimulatedLoad.anyLoad(random);
      tenants.add(new SimulatedTenant(this, "t" + number, load));
    }
  }

  /** Which seeds are contests: one of so many. */
  static final long CONTEST_EVERY = 5;

  static ModelSpec model(int slots, @Nullable Integer slotsTotal) {
    return new ModelSpec(
        POOL, "embedded", null, null, null, slots, slotsTotal, 0, 0, 1, 2, null, null);
  }

  /** Runs to the end; throws the first broken invariant. */
  void run() {
    if (faults.isContest()) {
      bound.begin();
    }
    startCoordinator();
    workers.forEach(SimulatedWorker::start);
    tenants.forEach(SimulatedTenant::start);
    faults.plan();
    watch();
    Event next = events.poll();
    while (next != null && next.atMillis() <= END_MILLIS) {
      nowMillis = next.atMillis();
      trace = 31 * trace + nowMillis + random.nextInt(1_000_000);
      next.action().run();
      next = events.poll();
    }
    SimulatedCoordinator last = coordinators.getLast();
    if (!faults.isContest()) {
      new EveryRequestEnds().check(tenants);
      new ViewsAgree().check(last.state, workers);
      last.chargedIsActual.check(last.state, coordinators.size() == 1);
    }
  }

  /** What must hold from outside, whatever anybody believes. */
  private void watch() {
    if (nowMillis >= CALM_MILLIS && !faults.isContest()) {
      noSlotIdlesBesideDemand.check(workers, tenants, slotsTotal, nowMillis);
      noTenantStarves.check(tenants, workers);
    }
    at(nowMillis + 100, this::watch);
  }

  /** The next one, of the next epoch. */
  SimulatedCoordinator startCoordinator() {
    SimulatedCoordinator next = new SimulatedCoordinator(this, mutation);
    coordinators.add(next);
    next.start(coordinators.size(), 1L + random.nextInt(500));
    return next;
  }

  void toCoordinator(SimulatedParty from, FairnessCoordinator.Command command) {
    List<SimulatedCoordinator> alive = coordinators.stream().filter(SimulatedParty::isUp).toList();
    SimulatedCoordinator to =
        random.nextInt(3) == 0 ? alive.get(random.nextInt(alive.size())) : alive.getLast();
    if (!faults.isCut(to, from)) {
      network(() -> to.deliver(() -> to.on(command)));
    }
  }

  void toWorker(SimulatedCoordinator from, PoolState.Send send) {
    for (SimulatedWorker worker : workers) {
      if (worker.ref.equals(send.worker()) && !faults.isCut(from, worker)) {
        network(() -> worker.on(send.worker(), send.command()));
      }
    }
  }

  /** To watch who is gone already is to hear of it. */
  void watchHolders(PoolTable pool) {
    for (PoolTable.SlotRow row : pool.rows()) {
      ActorRef<SlotHolder> holder = row.holderRef();
      if (holder != null && tenants.stream().noneMatch(tenant -> tenant.holder().equals(holder))) {
        holderGone(holder);
      }
    }
  }

  /** Carries a message, badly as long as there is chaos. */
  void network(Runnable delivery) {
    int copies = faults.copies();
    for (int copy = 0; copy < copies; copy++) {
      at(nowMillis + faults.delayMillis(), delivery);
    }
  }

  void at(long atMillis, Runnable action) {
    events.add(new Event(atMillis, order, action));
    order++;
  }

  long nowMillis() {
    return nowMillis;
  }

  SimulatedWorker workerOf(SlotTicket ticket) {
    return workers.stream()
        .filter(worker -> worker.name.equals(ticket.worker()))
        .findFirst()
        .orElseThrow();
  }

  /** Every coordinator watches holders and workers, and hears of their end sooner or later. */
  void holderGone(ActorRef<SlotHolder> holder) {
    for (SimulatedCoordinator coordinator : coordinators) {
      at(nowMillis + 1 + random.nextInt(500), () -> coordinator.holderGone(holder));
    }
  }

  void workerGone(ActorRef<SlotOwner> worker) {
    for (SimulatedCoordinator coordinator : coordinators) {
      at(nowMillis + 1 + random.nextInt(3_000), () -> coordinator.workerGone(worker));
    }
  }

  /** What is sent to a tenant that is not there any more is lost. */
  void toHolder(ActorRef<SlotHolder> holder, Consumer<SimulatedTenant> delivery) {
    network(
        () -> tenants.stream().filter(tenant -> tenant.holder().equals(holder)).forEach(delivery));
  }

  ActorRef<SlotHolder> nextHolder() {
    ActorRef<SlotHolder> holder = HOLDERS.get(holders % HOLDERS.size());
    holders++;
    return holder;
  }

  ActorRef<SlotOwner> nextWorkerRef() {
    ActorRef<SlotOwner> ref = WORKERS.get(workerRefs % WORKERS.size());
    workerRefs++;
    return ref;
  }

  WorkerSlots newSlots(String worker, long incarnation) {
    return mutation.workerSlots(worker, incarnation);
  }

  /** Tells two runs apart that differ in any event or any draw. */
  long trace() {
    return trace;
  }

  boolean isContest() {
    return faults.isContest();
  }

  static Catalog catalog(ModelSpec model) {
    return new Catalog(1, Map.of(POOL, model), Map.of());
  }
}
