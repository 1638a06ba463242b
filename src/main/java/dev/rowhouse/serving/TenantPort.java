package dev.rowhouse.serving;

import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.japi.function.Function;

/** The way to the actor of any tenant, wherever it lives. */
public final class TenantPort {
  private final ActorSystem<?> system;
  private final ActorRef<ShardingEnvelope<TenantEntity.Command>> region;
  private final Duration askTimeout;

  public TenantPort(
      ActorSystem<?> system,
      ActorRef<ShardingEnvelope<TenantEntity.Command>> region,
      Duration askTimeout) {
    this.system = system;
    this.region = region;
    this.askTimeout = askTimeout;
  }

  public void tell(TenantId tenant, TenantEntity.Command command) {
    region.tell(new ShardingEnvelope<>(tenant.value(), command));
  }

  /** Asks and waits a bounded time; the stage fails with a TimeoutException after it. */
  public <R> CompletionStage<R> ask(
      TenantId tenant, Function<ActorRef<R>, TenantEntity.Command> command) {
    return AskPattern.ask(
        region,
        (ActorRef<R> replyTo) -> new ShardingEnvelope<>(tenant.value(), command.apply(replyTo)),
        askTimeout,
        system.scheduler());
  }
}
