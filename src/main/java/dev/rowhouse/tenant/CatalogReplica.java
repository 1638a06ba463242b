package dev.rowhouse.tenant;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * This node's copy of the catalog. {@link #current} may be called by any thread at any time and
 * never waits; until the keeper has been heard it is the catalog of conf.
 *
 * <p>The copy subscribes again after a fixed delay, so a lost message, or a keeper that moved,
 * costs at most that delay.
 */
public final class CatalogReplica {
  /** The few actors of a node that act on a change; tenants read {@link #current}. */
  private static final int WATCHERS_MAX = 100;

  private final AtomicReference<Catalog> current;

  public CatalogReplica(Catalog initial) {
    current = new AtomicReference<>(initial);
  }

  public Catalog current() {
    return current.get();
  }

  /** Takes a newer catalog at once, from who has just changed it; watchers hear of it as ever. */
  public void accept(Catalog changed) {
    current.accumulateAndGet(
        changed, (known, offered) -> offered.version() > known.version() ? offered : known);
  }

  public sealed interface Command {}

  /** Asks for the catalog now and after each change, on this node. */
  public record Watch(ActorRef<Catalog> watcher) implements Command {}

  private record Received(Catalog catalog) implements Command {}

  private record WatcherGone(ActorRef<Catalog> watcher) implements Command {}

  private record Resubscribe() implements Command {}

  /**
   * The actor that keeps this copy.
   *
   * @param keeper the proxy of the keeper's singleton
   */
  public Behavior<Command> behavior(
      ActorRef<CatalogKeeper.Command> keeper, Duration resubscribeDelay) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new Copying(context, timers, keeper, resubscribeDelay).receive()));
  }

  private final class Copying {
    private final ActorContext<Command> context;
    private final ActorRef<CatalogKeeper.Command> keeper;
    private final ActorRef<Catalog> inbox;
    private final Set<ActorRef<Catalog>> watchers = new HashSet<>();

    /** What watchers were told last: {@link #accept} may have taken a newer one past this actor. */
    private Catalog told;

    Copying(
        ActorContext<Command> context,
        TimerScheduler<Command> timers,
        ActorRef<CatalogKeeper.Command> keeper,
        Duration resubscribeDelay) {
      this.context = context;
      this.keeper = keeper;
      this.told = current.get();
      inbox = context.messageAdapter(Catalog.class, Received::new);
      keeper.tell(new CatalogKeeper.Subscribe(inbox));
      timers.startTimerWithFixedDelay(new Resubscribe(), resubscribeDelay);
    }

    Behavior<Command> receive() {
      return Behaviors.receiveMessage(
          command -> {
            switch (command) {
              case Resubscribe _ -> keeper.tell(new CatalogKeeper.Subscribe(inbox));
              case Received(Catalog catalog) -> received(catalog);
              case WatcherGone(ActorRef<Catalog> watcher) -> watchers.remove(watcher);
              case Watch(ActorRef<Catalog> watcher) -> watch(watcher);
            }
            return Behaviors.same();
          });
    }

    /** An equal version is taken too: a keeper on a node with a newer conf says it. */
    private void received(Catalog catalog) {
      if (catalog.version() < told.version() || catalog.equals(told)) {
        return;
      }
      told = catalog;
      current.accumulateAndGet(
          catalog, (known, offered) -> offered.version() >= known.version() ? offered : known);
      watchers.forEach(watcher -> watcher.tell(catalog));
    }

    private void watch(ActorRef<Catalog> watcher) {
      if (!watchers.contains(watcher)) {
        if (watchers.size() >= WATCHERS_MAX) {
          context.getLog().warn("Over {} actors watch the catalog of this node.", WATCHERS_MAX);
          return;
        }
        watchers.add(watcher);
        context.watchWith(watcher, new WatcherGone(watcher));
      }
      watcher.tell(current.get());
    }
  }
}
