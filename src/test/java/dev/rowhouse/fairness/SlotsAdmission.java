package dev.rowhouse.fairness;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.bench.arena.Admission;
import dev.rowhouse.bench.arena.Cost;
import dev.rowhouse.bench.arena.OutputEstimate;
import dev.rowhouse.bench.arena.Run;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.Estimator;
import dev.rowhouse.tenant.ModelSpec;
import java.io.File;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Rowhouse in front of the engine, as it stands in front of an upstream: a worker with a number of
 * slots, a coordinator, and a tenant for each client, made of the real pure classes, with the
 * intervals of conf/fairness.conf and a network that takes a millisecond for each message. The
 * engine only sees what has a slot, and serves that first come, first served.
 */
public final class SlotsAdmission implements Admission {
  private static final String POOL = "m";
  private static final String WORKER = "w";
  private static final long HOP_MILLIS = 1;
  private static final long DEMAND_MILLIS = 1_000;
  private static final Config CONF =
      ConfigFactory.parseFile(new File("conf/fairness.conf")).resolve();

  /** Addresses are only compared, so all runs share them. */
  private static final Map<String, ActorRef<SlotHolder>> HOLDERS = new ConcurrentHashMap<>();

  private static final ActorRef<SlotOwner> OWNER = TestInbox.<SlotOwner>create(WORKER).getRef();

  private record Event(long atMillis, long order, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return atMillis != other.atMillis
          ? Long.compare(atMillis, other.atMillis)
          : Long.compare(order, other.order);
    }
  }

  private final FairnessSettings settings = FairnessSettings.from(CONF);
  private final OutputEstimate estimate;
  private final CoordinatorState coordinator;
  private final WorkerSlots worker;
  private final Map<String, Tenant> tenants = new HashMap<>();
  private final Map<Run, SlotUser.HeldTicket> running = new HashMap<>();
  private final ArrayDeque<Run> engineQueue = new ArrayDeque<>();
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private boolean tableDue;
  private long order;
  private long nowMillis;

  /**
   * A cluster of one worker, for one run of the engine.
   *
   * @param creditCost what a client that comes back keeps, in weighted tokens; 0: nothing
   */
  public SlotsAdmission(OutputEstimate estimate, int slots, double creditCost) {
    this.estimate = estimate;
    this.coordinator =
        new CoordinatorState(settings, accounts -> new FairQueue(accounts, creditCost));
    this.worker = new WorkerSlots(WORKER, 1);
    ModelSpec model =
        new ModelSpec(
            POOL,
            ModelSpec.EMBEDDED,
            null,
            null,
            null,
            slots,
            null,
            0,
            0,
            Cost.INPUT_WEIGHT,
            Cost.OUTPUT_WEIGHT,
            null,
            null,
            Estimator.MOVING_MEAN);
    coordinator.activate(1, 0);
    perform(worker.catalog(new Catalog(1, Map.of(POOL, model), Map.of())));
    beatWorker();
    tick();
  }

  @Override
  public boolean arrived(Run run, double nowSeconds) {
    advance(nowSeconds);
    tenants.computeIfAbsent(run.client(), Tenant::new).arrived(run);
    return true;
  }

  @Override
  public @Nullable Run head(double nowSeconds) {
    advance(nowSeconds);
    return engineQueue.peekFirst();
  }

  @Override
  public void entered(Run run, double nowSeconds) {
    engineQueue.removeFirst();
  }

  @Override
  public void streamed(List<Run> batch, double nowSeconds) {
    advance(nowSeconds);
    for (Run run : batch) {
      worker.progress(
          ticket(run).ticket(), attempt(run), run.request().inputTokens(), run.outputDone());
    }
  }

  @Override
  public void finished(Run run, double nowSeconds) {
    SlotUser.HeldTicket ticket = ticket(run);
    running.remove(run);
    perform(
        worker.finish(
            ticket.ticket(),
            attempt(run),
            run.request().inputTokens(),
            run.outputDone(),
            nowMillis));
    network(
        () -> {
          estimate.learn(run);
          tenant(run.client()).slots.finished(ticket.ticket());
        });
  }

  private final class Tenant {
    final SlotUser slots;
    private final ArrayDeque<Run> waiting = new ArrayDeque<>();
    private final Map<Run, Double> costs = new HashMap<>();

    Tenant(String name) {
      this.slots = new SlotUser(name, 1, holder(name));
      beat();
    }

    void arrived(Run run) {
      costs.put(run, Cost.of(run.request().inputTokens(), estimate.tokens(run)));
      waiting.addLast(run);
      serve();
      demand();
    }

    void held(SlotHolder.Held held) {
      if (slots.offer(held)) {
        serve();
        SlotUser.HeldTicket ticket =
            new SlotUser.HeldTicket(held.ticket(), held.worker(), held.small());
        boolean useless = held.small() && firstSmall() == null;
        if (useless && slots.giveUp(ticket)) {
          network(() -> perform(worker.on(new SlotOwner.Return(held.ticket()))));
        }
      }
    }

    private void serve() {
      boolean changed = false;
      Run next = waiting.peekFirst();
      while (next != null) {
        SlotUser.HeldTicket ticket = slots.take(POOL, isSmall(next));
        if (ticket == null) {
          next = firstSmall();
          ticket = next == null ? null : slots.take(POOL, true);
        }
        if (next == null || ticket == null) {
          break;
        }
        waiting.remove(next);
        send(next, ticket);
        changed = true;
        next = waiting.peekFirst();
      }
      if (changed) {
        demand();
      }
    }

    private void send(Run run, SlotUser.HeldTicket ticket) {
      network(
          () -> {
            StartDecision decision =
                worker.start(ticket.ticket(), run.client(), attempt(run), nowMillis);
            switch (decision) {
              case StartDecision.Accepted _ -> {
                running.put(run, ticket);
                engineQueue.addLast(run);
              }
              case StartDecision.Repeated _ -> {}
              case StartDecision.Refused _ -> network(() -> refused(run, ticket));
            }
          });
    }

    /** The ticket was withdrawn while the request was on its way. */
    private void refused(Run run, SlotUser.HeldTicket ticket) {
      slots.finished(ticket.ticket());
      waiting.addFirst(run);
      serve();
      demand();
    }

    private void beat() {
      if (!waiting.isEmpty()) {
        demand();
      }
      after(DEMAND_MILLIS, this::beat);
    }

    private void demand() {
      Run head = waiting.peekFirst();
      Run small = firstSmall();
      Backlog backlog =
          new Backlog(
              waiting.size(),
              head == null ? 0 : cost(head),
              (int) waiting.stream().filter(this::isSmall).count(),
              small == null ? 0 : cost(small),
              0,
              0);
      FairnessCoordinator.Demand demand = slots.demand(POOL, Terms.of(1), backlog);
      network(() -> command(coordinator.demand(demand, nowMillis)));
    }

    private @Nullable Run firstSmall() {
      return waiting.stream().filter(this::isSmall).findFirst().orElse(null);
    }

    private boolean isSmall(Run run) {
      return cost(run) <= settings.smallCostMax();
    }

    private double cost(Run run) {
      return costs.getOrDefault(run, 0.0);
    }
  }

  private void perform(List<SlotEffect> effects) {
    for (SlotEffect effect : effects) {
      switch (effect) {
        case SlotEffect.Mint mint -> {
          SlotHolder.Held held = new SlotHolder.Held(mint.ticket(), OWNER, mint.small());
          toHolder(mint.holder(), tenant -> tenant.held(held));
        }
        case SlotEffect.Withdraw withdraw ->
            toHolder(withdraw.holder(), tenant -> tenant.slots.withdrawn(withdraw.ticket()));
        case SlotEffect.Report report -> {
          if (report.urgent()) {
            sendTable();
          } else if (!tableDue) {
            tableDue = true;
            after(millis("worker.table-delay"), this::sendTable);
          }
        }
      }
    }
  }

  private void toHolder(ActorRef<SlotHolder> holder, java.util.function.Consumer<Tenant> message) {
    network(
        () ->
            tenants.values().stream()
                .filter(tenant -> holder(tenant.slots.tenant()).equals(holder))
                .forEach(message));
  }

  private void sendTable() {
    tableDue = false;
    FairnessCoordinator.WorkerTable table = worker.table(OWNER);
    network(() -> command(coordinator.workerTable(table, nowMillis)));
  }

  private void beatWorker() {
    perform(worker.repeatMints());
    sendTable();
    after(millis("worker.table-interval"), this::beatWorker);
  }

  private void tick() {
    command(coordinator.tick(nowMillis));
    after(settings.tick().toMillis(), this::tick);
  }

  private void command(List<PoolState.Send> sends) {
    sends.forEach(send -> network(() -> perform(worker.on(send.command()))));
  }

  private void network(Runnable delivery) {
    after(HOP_MILLIS, delivery);
  }

  private void after(long millis, Runnable action) {
    order++;
    events.add(new Event(nowMillis + millis, order, action));
  }

  private void advance(double nowSeconds) {
    long untilMillis = (long) (nowSeconds * 1_000);
    Event next = events.peek();
    while (next != null && next.atMillis() <= untilMillis) {
      events.remove();
      nowMillis = next.atMillis();
      next.action().run();
      next = events.peek();
    }
    nowMillis = Math.max(nowMillis, untilMillis);
  }

  private Tenant tenant(String name) {
    return tenants.computeIfAbsent(name, Tenant::new);
  }

  private SlotUser.HeldTicket ticket(Run run) {
    SlotUser.HeldTicket ticket = running.get(run);
    if (ticket == null) {
      throw new IllegalStateException("request " + run.request().id() + " does not run");
    }
    return ticket;
  }

  private static ActorRef<SlotHolder> holder(String tenant) {
    return HOLDERS.computeIfAbsent(
        tenant, name -> TestInbox.<SlotHolder>create("tenant-" + name).getRef());
  }

  private static String attempt(Run run) {
    return "a" + run.request().id();
  }

  private static long millis(String key) {
    return CONF.getDuration("rowhouse.fairness." + key).toMillis();
  }
}
