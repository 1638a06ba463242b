package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.fairness.Backlog;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.fairness.SlotUser;
import dev.rowhouse.fairness.Terms;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;

/** A worker, a coordinator and tenants as running actors in one process. */
abstract class RunningActors {
  static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Who is silent here is slow and not gone. */
  private static final Config CONF =
      ConfigFactory.parseString(
              "rowhouse.fairness { worker-silence = 10m, demand-silence = 10m, grant-expiry = 10m"
                  + " }")
          .withFallback(ConfigFactory.parseResources("fairness.conf"))
          .resolve();

  static final AtomicLong EPOCHS = new AtomicLong();

  /** The clock of the workers that are made next. */
  LongSupplier monotonicMillis = () -> System.nanoTime() / 1_000_000;

  /** The settings of the workers that are made next. */
  Config conf = CONF;

  final AtomicLong toCoordinator = new AtomicLong();
  final TestProbe<RunReport> settled;
  private final ActorTestKit kit;
  private final List<ActorRef<?>> started = new ArrayList<>();

  RunningActors(ActorTestKit kit) {
    this.kit = kit;
    this.settled = kit.createTestProbe();
  }

  /** Each test class has one, and shuts it down. */
  static ActorTestKit newKit() {
    return ActorTestKit.create(
        ConfigFactory.parseString(
                "pekko.actor.provider=local\npekko.loglevel=WARNING\n"
                    + "pekko.coordinated-shutdown.exit-jvm=off")
            .withFallback(ConfigFactory.load("reference.conf"))
            .resolve());
  }

  @AfterEach
  void stopActors() {
    started.forEach(kit::stop);
  }

  /** What a run does is said by the label of its order. */
  static Behavior<RunControl> run(
      RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunNote> worker) {
    return Behaviors.setup(
        context -> {
          context.setReceiveTimeout(Duration.ofMillis(5), new RunControl.Cancel());
          gateway.tell(new RunEvent.PullBody(order.attempt(), 0, context.getSelf()));
          return Behaviors.receiveMessage(
              message -> {
                if ("crash".equals(order.label())) {
                  throw new IllegalStateException("the engine broke");
                }
                if ("stay".equals(order.label()) && message instanceof RunControl.Cancel) {
                  return Behaviors.same();
                }
                RunReport report = report(order);
                gateway.tell(new RunEvent.Ended(order.attempt(), report, List.of()));
                worker.tell(new RunEnded(order.attempt(), report));
                return Behaviors.stopped();
              });
        });
  }

  private static RunReport report(RunOrder order) {
    return new RunReport(
        order, RunReport.Outcome.COMPLETED, 10, 45, false, "m", null, null, null, 200, 1, 2);
  }

  private static ModelSpec model(int slots) {
    return new ModelSpec("m", "embedded", null, null, null, slots, null, 0, 0, 1, 2, null, null);
  }

  static RunOrder order(String tenant, String attempt, String label) {
    return new RunOrder(
        attempt,
        new TenantId(tenant),
        "k",
        "m",
        model(1),
        List.of(),
        false,
        false,
        label,
        Instant.now(),
        0,
        Instant.now().plusSeconds(60),
        10,
        null,
        null,
        Map.of(),
        0);
  }

  <T> ActorRef<T> spawn(Behavior<T> behavior) {
    ActorRef<T> ref = kit.spawn(behavior);
    started.add(ref);
    return ref;
  }

  ActorRef<FairnessCoordinator.Command> coordinator(Supplier<CompletionStage<Long>> claimEpoch) {
    return spawn(
        Behaviors.monitor(
            FairnessCoordinator.Command.class,
            spawn(Behaviors.receiveMessage(this::count)),
            FairnessCoordinator.create(FairnessSettings.from(CONF), claimEpoch)));
  }

  private Behavior<FairnessCoordinator.Command> count(FairnessCoordinator.Command command) {
    if (command instanceof FairnessCoordinator.Demand
        || command instanceof FairnessCoordinator.WorkerTable) {
      toCoordinator.incrementAndGet();
    }
    return Behaviors.same();
  }

  ActorRef<FairnessCoordinator.Command> coordinator() {
    return coordinator(() -> CompletableFuture.completedFuture(EPOCHS.incrementAndGet()));
  }

  ActorRef<SlotOwner> worker(
      ActorRef<FairnessCoordinator.Command> coordinator, int slots, SettlementPort port) {
    return worker(coordinator, slots, port, RunningActors::run, health());
  }

  ActorRef<SlotOwner> worker(
      ActorRef<FairnessCoordinator.Command> coordinator,
      int slots,
      SettlementPort port,
      RunFactory runs,
      EndpointHealth health) {
    ActorRef<SlotOwner> worker =
        spawn(
            InferenceWorker.create(
                "w1",
                1,
                coordinator,
                runs,
                port,
                WorkerSettings.from(conf),
                health,
                monotonicMillis));
    worker.tell(
        new WorkerCommand.CatalogChanged(new Catalog(1, Map.of("m", model(slots)), Map.of())));
    return worker;
  }

  static EndpointHealth health() {
    return new EndpointHealth(
        InferenceSettings.of(ConfigFactory.parseResources("inference.conf").resolve()).breaker(),
        new Random(1));
  }

  void settleAtOnce(RunReport report, ActorRef<WorkerCommand.Settled> worker) {
    worker.tell(new WorkerCommand.Settled(report.order().attempt()));
    settled.getRef().tell(report);
  }

  /** A tenant by hand: its slots, its inbox for tickets, its gateway. */
  final class Tenant {
    final String name;
    final double weight;
    final BlockingQueue<SlotHolder> tickets = new LinkedBlockingQueue<>();
    final ActorRef<SlotHolder> holder;
    final TestProbe<RunEvent> gateway = kit.createTestProbe();
    final SlotUser slots;
    final ActorRef<FairnessCoordinator.Command> coordinator;

    Tenant(String name, double weight, ActorRef<FairnessCoordinator.Command> coordinator) {
      this.name = name;
      this.weight = weight;
      this.coordinator = coordinator;
      this.holder =
          spawn(
              Behaviors.receiveMessage(
                  message -> {
                    tickets.add(message);
                    return Behaviors.same();
                  }));
      this.slots = new SlotUser(name, 1, holder);
    }

    void wants(int pending) {
      coordinator.tell(slots.demand("m", Terms.of(weight), Backlog.of(pending, 100)));
    }

    boolean hear(Duration patience) {
      SlotHolder message;
      try {
        message = tickets.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
      return switch (message) {
        case SlotHolder.Held held -> slots.offer(held);
        case SlotHolder.Withdrawn withdrawn -> {
          slots.withdrawn(withdrawn.ticket());
          yield true;
        }
        case SlotHolder.Outlook _ -> true;
        case null -> false;
      };
    }

    SlotUser.HeldTicket ticket() {
      long until = System.nanoTime() + PATIENCE.toNanos();
      while (slots.idle("m") == 0) {
        hear(Duration.ofMillis(100));
        assertTrue(System.nanoTime() < until, "no ticket for " + name);
      }
      return Objects.requireNonNull(slots.take("m", false));
    }

    SlotTicket start(String attempt, String label) {
      SlotUser.HeldTicket held = ticket();
      held.worker()
          .tell(
              new WorkerCommand.Start(
                  held.ticket(), order(name, attempt, label), gateway.getRef()));
      return held.ticket();
    }

    RunReport end() {
      RunEvent event = gateway.receiveMessage(PATIENCE);
      while (event instanceof RunEvent.PullBody) {
        event = gateway.receiveMessage(PATIENCE);
      }
      return ((RunEvent.Ended) event).report();
    }
  }
}
