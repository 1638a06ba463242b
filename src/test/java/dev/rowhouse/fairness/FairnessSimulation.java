package dev.rowhouse.fairness;

import dev.rowhouse.fairness.SimulationInvariants.CountersNeverRegress;
import dev.rowhouse.fairness.SimulationInvariants.EstimatesAreOwedBySlots;
import dev.rowhouse.fairness.SimulationInvariants.EveryRequestEnds;
import dev.rowhouse.fairness.SimulationInvariants.NoFreeSlotBesideDemand;
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
 * pure classes, and a network that drops, doubles, delays and reorders by a seed. Coordinators and
 * workers restart, and old coordinators go on for a while beside new ones. After {@link
 * #CHAOS_MILLIS} the network heals, and everything must come to rest.
 */
final class FairnessSimulation {
  static final long CHAOS_MILLIS = 8_000;
  static final long END_MILLIS = 30_000;
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
  final OneRunPerSlot oneRunPerSlot = new OneRunPerSlot();
  final TicketAcceptedOnce ticketAcceptedOnce = new TicketAcceptedOnce();
  private final NoFreeSlotBesideDemand noFreeSlotBesideDemand = new NoFreeSlotBesideDemand();
  private final EveryRequestEnds everyRequestEnds = new EveryRequestEnds();
  private final EstimatesAreOwedBySlots estimatesAreOwedBySlots = new EstimatesAreOwedBySlots();
  private final ViewsAgree viewsAgree = new ViewsAgree();

  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final List<SimulatedWorker> workers = new ArrayList<>();
  private final List<SimulatedTenant> tenants = new ArrayList<>();
  private final List<SimulatedCoordinator> coordinators = new ArrayList<>();
  private final boolean checksTickets;
  private final double dropShare;
  private final double doubleShare;
  private long nowMillis;
  private long order;
  private long epochs;
  private int workerRefs;
  private int holders;

  /** A coordinator and the counters that it showed last. */
  private final class SimulatedCoordinator {
    final CoordinatorState state = new CoordinatorState(SETTINGS);
    final CountersNeverRegress countersNeverRegress = new CountersNeverRegress();
    boolean alive = true;

    void perform(List<PoolState.Send> sends) {
      for (PoolState.Send send : sends) {
        workers.stream()
            .filter(worker -> worker.ref.equals(send.worker()))
            .forEach(worker -> network(() -> worker.on(send.command())));
      }
      countersNeverRegress.check(state);
      estimatesAreOwedBySlots.check(state);
      if (state.isActive()) {
        noFreeSlotBesideDemand.check(state);
      }
    }

    void tick() {
      if (alive) {
        perform(state.tick(nowMillis));
        after(100, this::tick);
      }
    }
  }

  FairnessSimulation(long seed, boolean checksTickets) {
    this.random = new Random(seed);
    this.checksTickets = checksTickets;
    this.dropShare = random.nextInt(3) * 0.05;
    this.doubleShare = random.nextInt(3) * 0.05;
    int workerCount = 1 + random.nextInt(3);
    Integer total = random.nextInt(4) == 0 ? 1 + random.nextInt(4) : null;
    for (int number = 0; number < workerCount; number++) {
      int slots = 1 + random.nextInt(3);
      workers.add(new SimulatedWorker(this, "w" + number, model(total != null ? 0 : slots, total)));
    }
    int tenantCount = 1 + random.nextInt(5);
    for (int number = 0; number < tenantCount; number++) {
      tenants.add(new SimulatedTenant(this, "t" + number));
    }
  }

  static ModelSpec model(int slots, @Nullable Integer slotsTotal) {
    return new ModelSpec(
        POOL, "embedded", null, null, null, slots, slotsTotal, 0, 0, 1, 2, null, null);
  }

  /** Runs to the end; throws the first broken invariant. */
  void run() {
    startCoordinator();
    workers.forEach(SimulatedWorker::start);
    tenants.forEach(SimulatedTenant::start);
    scheduleFaults();
    Event next = events.poll();
    while (next != null && next.atMillis() <= END_MILLIS) {
      nowMillis = next.atMillis();
      next.action().run();
      next = events.poll();
    }
    everyRequestEnds.check(tenants);
    viewsAgree.check(coordinators.getLast().state, workers);
  }

  private void scheduleFaults() {
    int restarts = random.nextInt(3);
    for (int number = 0; number < restarts; number++) {
      after(random.nextInt((int) CHAOS_MILLIS), this::startCoordinator);
    }
    for (SimulatedTenant tenant : tenants) {
      if (random.nextInt(4) == 0) {
        after(random.nextInt((int) CHAOS_MILLIS), tenant::restart);
      }
    }
    for (SimulatedWorker worker : workers) {
      if (random.nextInt(3) == 0) {
        after(random.nextInt((int) CHAOS_MILLIS), worker::restart);
      }
    }
  }

  /** A new one; the one before stops now, or is a zombie for a while. */
  private void startCoordinator() {
    if (!coordinators.isEmpty()) {
      SimulatedCoordinator before = coordinators.getLast();
      after(random.nextBoolean() ? 0 : random.nextInt(3_000), () -> before.alive = false);
    }
    SimulatedCoordinator next = new SimulatedCoordinator();
    coordinators.add(next);
    epochs++;
    long epoch = epochs;
    after(1 + random.nextInt(500), () -> next.perform(next.state.activate(epoch, nowMillis)));
    next.tick();
  }

  void toCoordinator(FairnessCoordinator.Command command) {
    List<SimulatedCoordinator> alive =
        coordinators.stream().filter(coordinator -> coordinator.alive).toList();
    SimulatedCoordinator to =
        random.nextInt(3) == 0 ? alive.get(random.nextInt(alive.size())) : alive.getLast();
    network(
        () -> {
          if (to.alive) {
            switch (command) {
              case FairnessCoordinator.WorkerTable table -> {
                to.perform(to.state.workerTable(table, nowMillis));
                table.pools().forEach(this::watchHolders);
              }
              case FairnessCoordinator.Demand demand ->
                  to.perform(to.state.demand(demand, nowMillis));
              default -> throw new IllegalArgumentException(command.toString());
            }
          }
        });
  }

  /** To watch who is gone already is to hear of it. */
  private void watchHolders(PoolTable pool) {
    for (PoolTable.SlotRow row : pool.rows()) {
      ActorRef<SlotHolder> holder = row.holderRef();
      if (holder != null && tenants.stream().noneMatch(tenant -> tenant.holder().equals(holder))) {
        holderGone(holder);
      }
    }
  }

  /** Carries a message, badly as long as there is chaos. */
  void network(Runnable delivery) {
    boolean chaos = nowMillis < CHAOS_MILLIS;
    int copies = 1;
    if (chaos && random.nextDouble() < dropShare) {
      copies = 0;
    } else if (chaos && random.nextDouble() < doubleShare) {
      copies = 2;
    }
    for (int copy = 0; copy < copies; copy++) {
      boolean late = chaos && random.nextInt(20) == 0;
      after(1 + random.nextInt(late ? 1_500 : 10), delivery);
    }
  }

  void after(long delayMillis, Runnable action) {
    events.add(new Event(nowMillis + delayMillis, order, action));
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

  /** Every coordinator watches holders, and hears of their end sooner or later. */
  void holderGone(ActorRef<SlotHolder> holder) {
    for (SimulatedCoordinator coordinator : coordinators) {
      after(
          1 + random.nextInt(500),
          () -> {
            if (coordinator.alive) {
              coordinator.perform(coordinator.state.holderGone(holder, nowMillis));
            }
          });
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
    if (checksTickets) {
      return new WorkerSlots(worker, incarnation, 20_000);
    }
    return new WorkerSlots(worker, incarnation, 20_000) {
      @Override
      SlotTable newTable(String pool) {
        return new SlotTable(pool, worker, incarnation) {
          @Override
          boolean isCurrent(long ticketSeq, long slotSeq) {
            return true;
          }
        };
      }
    };
  }

  static Catalog catalog(ModelSpec model) {
    return new Catalog(1, Map.of(POOL, model), Map.of());
  }
}
