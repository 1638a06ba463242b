package dev.rowhouse.reporting;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.WholeLedger;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;

/** This room as the others see it: questions, comparisons and what was counted. */
public record Reporting(
    UsageReports reports,
    Reconciliation reconciliation,
    LedgerChains chains,
    UsageErasure erasure,
    ReconcileCounts counts,
    Witness witness) {
  private static final Duration RESTART_MIN = Duration.ofMillis(500);
  private static final Duration RESTART_MAX = Duration.ofSeconds(10);
  private static final double RESTART_JITTER = 0.2;

  /** Opens the room without anything that runs by itself; makes the tables, and blocks for it. */
  public static Reporting of(
      ActorSystem<?> system,
      Storage storage,
      Fence fence,
      Executor blocking,
      InstantSource clock,
      ReportingSettings settings,
      LedgerSettings ledgers,
      Witness witness) {
    UsageStore store = UsageStore.open(storage, system.settings().config(), settings);
    ReconcileCounts counts = new ReconcileCounts();
    return new Reporting(
        new UsageReports(store, blocking, clock, settings),
        new Reconciliation(
            store, fence, blocking, new WholeLedger(system, ledgers), clock, counts, witness),
        new LedgerChains(system, fence, blocking, settings.readJournal()),
        new UsageErasure(store, blocking, clock),
        counts,
        witness);
  }

  /** Starts what fills the tables and what looks after them. */
  public void start(
      ActorSystem<?> system,
      Storage storage,
      Executor blocking,
      InstantSource clock,
      ReportingSettings settings) {
    UsageStore store = UsageStore.open(storage, system.settings().config(), settings);
    UsageProjection.start(system, store, blocking, clock, settings);
    ClusterSingleton.get(system)
        .init(
            SingletonActor.of(
                    Behaviors.supervise(
                            Reconciler.create(
                                reconciliation, store, blocking, clock, settings, counts, witness))
                        .onFailure(
                            SupervisorStrategy.restartWithBackoff(
                                RESTART_MIN, RESTART_MAX, RESTART_JITTER)),
                    "usage-reconciler")
                .withStopMessage(new Reconciler.Stop())
                .withSettings(ClusterSingletonSettings.create(system).withRole("tenant")));
  }
}
