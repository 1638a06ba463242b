package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.ThreadMXBean;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.fairness.Backlog;
import dev.rowhouse.fairness.CoordinatorMemory;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.fairness.SlotEffect;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.fairness.SlotUser;
import dev.rowhouse.fairness.Terms;
import dev.rowhouse.fairness.WorkerSlots;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.Estimator;
import dev.rowhouse.tenant.ModelSpec;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * The fairness coordinator as the running actor that it is in a node, on one thread of its own:
 * grants per second of that thread's CPU with so many tenants that all wait, and the time from a
 * slot that becomes free to its next grant at a given rate.
 *
 * <p>The workers are the real {@link WorkerSlots} in actors that pretend that each run takes some
 * time; every run goes through Grant, ticket, start, finish and the table that frees the slot.
 * Tenants repeat their demands each second, as they do.
 *
 * <p>Arguments: tenants (10000), workers (100), slots per worker (16), grants per second that the
 * runs' length allows (60000), seconds (10).
 */
public final class CoordinatorCost {
  private static final String POOL = "m";
  private static final Duration WARM_UP = Duration.ofSeconds(15);

  private CoordinatorCost() {}

  /** What the workers have seen. */
  private static final class Seen {
    final AtomicLong grants = new AtomicLong();
    final AtomicLong tables = new AtomicLong();
    final AtomicLong demands = new AtomicLong();
    volatile boolean measures;
    final List<long[]> waits = new ArrayList<>();
  }

  private record Run(SlotTicket ticket, String tenant, String attempt, long endNanos) {}

  private enum Beat implements SlotOwner {
    RUNS,
    TABLE
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    int tenants = Reports.argument(args, 0, 10_000);
    int workers = Reports.argument(args, 1, 100);
    int slots = Reports.argument(args, 2, 16);
    int rate = Reports.argument(args, 3, 60_000);
    int seconds = Reports.argument(args, 4, 10);
    long runNanos = 1_000_000_000L * workers * slots / rate;
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "bench", config());
    ActorRef<FairnessCoordinator.Command> coordinator =
        system.systemActorOf(
            FairnessCoordinator.create(
                FairnessSettings.from(config()), () -> CompletableFuture.completedStage(1L)),
            "coordinator",
            DispatcherSelector.fromConfig("coordinator-thread"));
    Seen seen = new Seen();
    double bytesPerTenant =
        CoordinatorMemory.bytesPerTenant(system, FairnessSettings.from(config()), tenants);
    double bytesPerAddress = CoordinatorMemory.bytesPerAddress(system, tenants);
    for (int number = 0; number < tenants; number++) {
      system.systemActorOf(
          tenant(coordinator, "tenant-" + number, seen),
          "tenant-" + number,
          DispatcherSelector.defaultDispatcher());
    }
    for (int number = 0; number < workers; number++) {
      system.systemActorOf(
          worker(coordinator, "w" + number, slots, runNanos, seen),
          "worker-" + number,
          DispatcherSelector.defaultDispatcher());
    }
    System.out.printf(
        "%d tenants that wait, %d workers of %d slots, runs of %.1f ms: at most %d grants/s%n",
        tenants, workers, slots, runNanos / 1e6, rate);
    Thread.sleep(WARM_UP.toMillis());
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = coordinatorThread(threads);
    seen.measures = true;
    long grants = seen.grants.get();
    long messages = seen.tables.get() + seen.demands.get();
    long cpu = threads.getThreadCpuTime(thread);
    long begin = System.nanoTime();
    for (int second = 1; second <= seconds; second++) {
      Thread.sleep(1_000);
      System.out.printf("  %d s: %,d grants%n", second, seen.grants.get() - grants);
    }
    double tookSeconds = (System.nanoTime() - begin) / 1e9;
    double cpuSeconds = (threads.getThreadCpuTime(thread) - cpu) / 1e9;
    seen.measures = false;
    long granted = seen.grants.get() - grants;
    long handled = seen.tables.get() + seen.demands.get() - messages;
    Thread.sleep(100);
    long[] waits = waits(seen);
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report.put("tenants", tenants);
    report.put("workers", workers);
    report.put("slots_per_worker", slots);
    report.put("grants_per_second", granted / tookSeconds);
    report.put("messages_per_second", handled / tookSeconds);
    report.put("coordinator_cpu_share", cpuSeconds / tookSeconds);
    report.put("grants_per_cpu_second", granted / cpuSeconds);
    report.put("free_to_grant_p50_ms", at(waits, 0.5));
    report.put("free_to_grant_p99_ms", at(waits, 0.99));
    report.put("bytes_per_tenant", bytesPerTenant);
    report.put("bytes_per_tenant_address", bytesPerAddress);
    System.out.printf(
        "%.0f bytes per tenant that waits, %.0f of them the remote address of its actor%n",
        bytesPerTenant, bytesPerAddress);
    System.out.printf(
        "%,.0f grants/s (%,.0f messages/s) at %.0f %% of one core: %,.0f grants per second of"
            + " CPU%n",
        granted / tookSeconds,
        handled / tookSeconds,
        100 * cpuSeconds / tookSeconds,
        granted / cpuSeconds);
    System.out.printf(
        "from a free slot to its next grant: p50 %.2f ms, p99 %.2f ms%n",
        at(waits, 0.5), at(waits, 0.99));
    Reports.write("coordinator-cost", report);
    System.exit(0);
  }

  private static Config config() {
    return ConfigFactory.parseString(
            """
            coordinator-thread {
              type = PinnedDispatcher
              executor = "thread-pool-executor"
              thread-pool-executor.allow-core-timeout = off
            }
            pekko.actor.provider = remote
            pekko.remote.artery.canonical { hostname = 127.0.0.1, port = 0 }
            pekko.loglevel = WARNING
            pekko.scheduler.tick-duration = 1ms
            """)
        .withFallback(ConfigFactory.parseFile(new java.io.File("conf/fairness.conf")))
        .withFallback(ConfigFactory.load());
  }

  /** A tenant with more requests than it is ever given slots; its tickets start runs at once. */
  private static Behavior<SlotHolder> tenant(
      ActorRef<FairnessCoordinator.Command> coordinator, String name, Seen seen) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  SlotUser user = new SlotUser(name, 1, context.getSelf());
                  Runnable demand =
                      () -> {
                        seen.demands.incrementAndGet();
                        coordinator.tell(
                            user.demand(
                                POOL, Terms.of(1 + name.hashCode() % 4 * 0.5 + 2), backlog()));
                      };
                  demand.run();
                  // Tenants have not all begun at the same moment.
                  timers.startTimerWithFixedDelay(
                      new SlotHolder.Outlook("beat", 0, 0),
                      Duration.ofMillis(Math.floorMod(name.hashCode(), 1_000)),
                      Duration.ofSeconds(1));
                  return Behaviors.receiveMessage(
                      message -> {
                        if (message instanceof SlotHolder.Outlook outlook
                            && outlook.pool().equals("beat")) {
                          demand.run();
                        }
                        return Behaviors.same();
                      });
                }));
  }

  private static Backlog backlog() {
    return new Backlog(1_000, 100, 0, 0, 500, 500);
  }

  private static Behavior<SlotOwner> worker(
      ActorRef<FairnessCoordinator.Command> coordinator,
      String name,
      int slots,
      long runNanos,
      Seen seen) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new Worker(context.getSelf(), timers, coordinator, name, slots, runNanos, seen)
                        .receive()));
  }

  /** One worker: real slots, runs that take their time and cost a hundred tokens. */
  private static final class Worker {
    private final ActorRef<SlotOwner> self;
    private final ActorRef<FairnessCoordinator.Command> coordinator;
    private final WorkerSlots slots;
    private final long runNanos;
    private final Seen seen;
    private final ArrayDeque<Run> runs = new ArrayDeque<>();
    private final long[] freeSinceNanos;
    private final long[] waits = new long[1 << 16];
    private int waitCount;
    private long attempts;

    Worker(
        ActorRef<SlotOwner> self,
        TimerScheduler<SlotOwner> timers,
        ActorRef<FairnessCoordinator.Command> coordinator,
        String name,
        int slotCount,
        long runNanos,
        Seen seen) {
      this.self = self;
      this.coordinator = coordinator;
      this.runNanos = runNanos;
      this.seen = seen;
      this.slots = new WorkerSlots(name, 1);
      this.freeSinceNanos = new long[slotCount];
      slots.catalog(new Catalog(1, Map.of(POOL, model(slotCount)), Map.of()));
      synchronized (seen.waits) {
        seen.waits.add(waits);
      }
      sendTable();
      timers.startTimerWithFixedDelay(Beat.RUNS, Duration.ofMillis(1));
      timers.startTimerWithFixedDelay(
          Beat.TABLE,
          Duration.ofMillis(Math.floorMod(name.hashCode(), 1_000)),
          Duration.ofSeconds(1));
    }

    Behavior<SlotOwner> receive() {
      return Behaviors.receiveMessage(
          message -> {
            switch (message) {
              case Beat beat -> {
                switch (beat) {
                  case RUNS -> finishDue();
                  case TABLE -> sendTable();
                }
              }
              case SlotOwner.Grant grant -> granted(grant);
              case SlotOwner.SlotCommand command -> slots.on(command);
              default -> throw new IllegalStateException(message.toString());
            }
            return Behaviors.same();
          });
    }

    private void granted(SlotOwner.Grant grant) {
      long now = System.nanoTime();
      for (SlotEffect effect : slots.on(grant)) {
        if (effect instanceof SlotEffect.Mint mint) {
          seen.grants.incrementAndGet();
          if (seen.measures && freeSinceNanos[grant.slot()] > 0 && waitCount < waits.length) {
            waits[waitCount++] = now - freeSinceNanos[grant.slot()];
          }
          attempts++;
          String attempt = Long.toString(attempts);
          slots.start(mint.ticket(), grant.tenant(), attempt, now / 1_000_000);
          runs.add(new Run(mint.ticket(), grant.tenant(), attempt, now + runNanos));
        }
      }
    }

    /** Each end is told by a table of its own, as a worker does. */
    private void finishDue() {
      long now = System.nanoTime();
      while (!runs.isEmpty() && runs.peek().endNanos() <= now) {
        Run run = runs.remove();
        slots.finish(run.ticket(), run.attempt(), 20, 40, now / 1_000_000);
        freeSinceNanos[run.ticket().slot()] = now;
        sendTable();
      }
    }

    private void sendTable() {
      seen.tables.incrementAndGet();
      coordinator.tell(slots.table(self));
    }
  }

  private static ModelSpec model(int slots) {
    return new ModelSpec(
        POOL,
        "embedded",
        null,
        null,
        null,
        slots,
        null,
        0,
        0,
        1,
        2,
        null,
        null,
        Estimator.MOVING_MEAN);
  }

  private static long coordinatorThread(ThreadMXBean threads) {
    for (long id : threads.getAllThreadIds()) {
      var info = threads.getThreadInfo(id);
      if (info != null && info.getThreadName().contains("coordinator-thread")) {
        return id;
      }
    }
    throw new IllegalStateException("the coordinator has no thread");
  }

  private static long[] waits(Seen seen) {
    synchronized (seen.waits) {
      return seen.waits.stream()
          .flatMapToLong(Arrays::stream)
          .filter(nanos -> nanos > 0)
          .sorted()
          .toArray();
    }
  }

  private static double at(long[] sorted, double quantile) {
    return sorted.length == 0
        ? 0
        : sorted[(int) Math.min(sorted.length - 1, quantile * sorted.length)] / 1e6;
  }
}
