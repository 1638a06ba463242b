package dev.rowhouse.reporting;

import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Looks after the tables, one in the cluster (a singleton): settles tenants in doubt at once, goes
 * through all tenants slowly, and folds old rows. One thing at a time, so that it never takes more
 * than a thread; whatever fails is tried again at its next turn.
 */
public final class Reconciler {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  /** Tenants in doubt are looked for so often, and folding has its turn. */
  private static final Duration TICK = Duration.ofSeconds(1);

  private static final int PAGE = 100;

  /** Tenants in doubt whose ledger could not be read, which others do not wait for. */
  private static final int PUT_OFF_MAX = 1_000;

  public sealed interface Command {}

  /** Asks it to stop: the singleton's stop message. */
  public record Stop() implements Command {}

  private record Tick() implements Command {}

  private record Found(List<TenantId> tenants, boolean isPass) implements Command {}

  private record Done(@Nullable TenantId tenant, @Nullable Throwable failure) implements Command {}

  private final ActorContext<Command> context;
  private final Reconciliation reconciliation;
  private final UsageStore store;
  private final Executor blocking;
  private final InstantSource clock;
  private final ReportingSettings settings;
  private final ReconcileCounts counts;
  private final Witness witness;
  private final Duration pace;

  private final Deque<TenantId> waiting = new ArrayDeque<>();
  private final Map<TenantId, Instant> putOff = new HashMap<>();
  private @Nullable TenantId last;
  private boolean isBusy;
  private boolean isPassing = true;
  private Instant passDue;
  private Instant tenantDue;
  private Instant foldDue;
  private Instant anchorDue;

  private Reconciler(
      ActorContext<Command> context,
      Reconciliation reconciliation,
      UsageStore store,
      Executor blocking,
      InstantSource clock,
      ReportingSettings settings,
      ReconcileCounts counts,
      Witness witness) {
    this.context = context;
    this.reconciliation = reconciliation;
    this.store = store;
    this.blocking = blocking;
    this.clock = clock;
    this.settings = settings;
    this.counts = counts;
    this.witness = witness;
    this.pace =
        settings.tenantsPerMinute() == 0 ? MINUTE : MINUTE.dividedBy(settings.tenantsPerMinute());
    this.passDue = clock.instant();
    this.tenantDue = clock.instant().plus(MINUTE);
    this.foldDue = clock.instant().plus(MINUTE);
    this.anchorDue = clock.instant().plus(settings.anchorEvery());
  }

  static Behavior<Command> create(
      Reconciliation reconciliation,
      UsageStore store,
      Executor blocking,
      InstantSource clock,
      ReportingSettings settings,
      ReconcileCounts counts,
      Witness witness) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  Reconciler reconciler =
                      new Reconciler(
                          context,
                          reconciliation,
                          store,
                          blocking,
                          clock,
                          settings,
                          counts,
                          witness);
                  return reconciler.behavior(timers);
                }));
  }

  private Behavior<Command> behavior(TimerScheduler<Command> timers) {
    timers.startTimerWithFixedDelay(new Tick(), pace.compareTo(TICK) < 0 ? pace : TICK);
    return Behaviors.receiveMessage(
        command ->
            switch (command) {
              case Tick _ -> {
                if (!isBusy) {
                  next();
                }
                yield Behaviors.same();
              }
              case Found found -> onFound(found);
              case Done done -> onDone(done);
              case Stop _ -> Behaviors.stopped();
            });
  }

  private void next() {
    Instant now = clock.instant();
    if (!now.isBefore(foldDue)) {
      foldDue = now.plus(settings.foldEvery());
      work(fold(now));
    } else if (!now.isBefore(anchorDue)) {
      anchorDue = now.plus(settings.anchorEvery());
      work(Anchors.tell(store, blocking, witness, settings.anchorsMax()));
    } else if (!waiting.isEmpty() && !now.isBefore(tenantDue)) {
      tenantDue = now.plus(pace);
      check(waiting.removeFirst());
    } else {
      isBusy = true;
      putOff.values().removeIf(until -> !now.isBefore(until));
      find(reconciliation.doubtful(putOff.size() + 1), false);
    }
  }

  private void find(CompletionStage<List<TenantId>> tenants, boolean isPass) {
    context.pipeToSelf(
        tenants,
        (found, failure) -> found == null ? new Done(null, failure) : new Found(found, isPass));
  }

  private Behavior<Command> onFound(Found found) {
    isBusy = false;
    Optional<TenantId> doubtful =
        found.isPass()
            ? Optional.empty()
            : found.tenants().stream().filter(it -> !putOff.containsKey(it)).findFirst();
    if (doubtful.isPresent()) {
      check(doubtful.get());
    } else if (found.isPass()) {
      waiting.addAll(found.tenants());
      last = found.tenants().isEmpty() ? null : found.tenants().getLast();
      isPassing = last != null;
    } else if (waiting.isEmpty() && settings.tenantsPerMinute() > 0) {
      nextPage();
    }
    return Behaviors.same();
  }

  private void nextPage() {
    Instant now = clock.instant();
    if (!isPassing && !now.isBefore(passDue)) {
      isPassing = true;
    }
    if (isPassing) {
      passDue = last == null ? now.plus(settings.passEvery()) : passDue;
      isBusy = true;
      find(reconciliation.tenants(last == null ? null : last.value(), PAGE), true);
    }
  }

  private void check(TenantId tenant) {
    work(tenant, reconciliation.check(tenant, true));
  }

  private void work(CompletionStage<?> work) {
    work(null, work);
  }

  private void work(@Nullable TenantId tenant, CompletionStage<?> work) {
    isBusy = true;
    context.pipeToSelf(work, (done, failure) -> new Done(tenant, failure));
  }

  private Behavior<Command> onDone(Done done) {
    isBusy = false;
    if (done.failure() != null) {
      counts.failed();
      if (done.tenant() != null && putOff.size() < PUT_OFF_MAX) {
        putOff.put(done.tenant(), clock.instant().plus(settings.retryAfter()));
      }
      context.getLog().warn("the tables of usage could not be looked after", done.failure());
    }
    return Behaviors.same();
  }

  private CompletionStage<?> fold(Instant now) {
    long beforeHour =
        Math.floorDiv(now.minus(settings.foldAfter()).toEpochMilli(), Group.HOUR_MILLIS);
    return CompletableFuture.supplyAsync(
            () -> {
              store.tidy(now);
              return store.due(beforeHour, settings.foldSegmentsMax());
            },
            blocking)
        .thenCompose(due -> fold(due.iterator()));
  }

  private CompletionStage<?> fold(Iterator<UsageStore.Fold> due) {
    return due.hasNext()
        ? CompletableFuture.runAsync(due.next().work(), blocking).thenCompose(_ -> fold(due))
        : CompletableFuture.completedFuture(true);
  }
}
