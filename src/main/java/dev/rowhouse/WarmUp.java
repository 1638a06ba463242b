package dev.rowhouse;

import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.UsageJournal;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node that has come is given tenants within a second, with their requests in flight, and the
 * first that starts in a process waits for more than its journal: classes are loaded, sessions
 * opened, statements prepared, which takes seconds where other nodes have the processor. So a node
 * reads a tenant's record and ledger, and writes nothing, before it is a home of any.
 */
final class WarmUp {
  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

  /** Is read where nobody has a ledger yet: it has no record and no usage. */
  private static final TenantId NOBODY = new TenantId("0".repeat(TenantId.LENGTH_MAX));

  private final CompletableFuture<Done> read;
  private final Duration atMost;
  private final long beganNanos = System.nanoTime();

  private WarmUp(CompletableFuture<Done> read, Duration atMost) {
    this.read = read;
    this.atMost = atMost;
  }

  /** Begins to read, where this node has the role, while other parts of it start. */
  static WarmUp begin(Foundation base, TenantRecord.Setting records, LedgerSettings ledgers) {
    Duration atMost = base.config().getDuration("rowhouse.cluster.warm-up-max");
    if (!base.hasRole("tenant")) {
      return new WarmUp(CompletableFuture.completedFuture(Done.getInstance()), atMost);
    }
    UsageJournal journal = new UsageJournal(base.system(), base.fence(), ledgers, 0);
    return new WarmUp(
        journal
            .tenants(null, 1)
            .thenApply(known -> known.isEmpty() ? NOBODY : known.getFirst())
            .thenCompose(
                tenant ->
                    readRecord(base, tenant, records)
                        .thenCombine(journal.recovered(tenant, null), (done, _) -> done))
            .toCompletableFuture(),
        atMost);
  }

  /** Waits until it is read, as long as {@code warm-up-max} says; the node starts in any case. */
  void await() {
    try {
      read.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
      LOG.debug("a tenant is read after {} ms", (System.nanoTime() - beganNanos) / 1_000_000);
    } catch (ExecutionException e) {
      LOG.warn("no tenant could be read before the start: {}", String.valueOf(e.getCause()));
    } catch (TimeoutException e) {
      LOG.warn("no tenant was read within {} ms before the start", atMost.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartFailure(StartFailure.CLUSTER, "Interrupted while starting.");
    }
  }

  private static CompletableFuture<Done> readRecord(
      Foundation base, TenantId tenant, TenantRecord.Setting records) {
    CompletableFuture<Done> read = new CompletableFuture<>();
    base.actor(
        Behaviors.setup(
            (ActorContext<TenantRecord.Notice> context) -> {
              ActorRef<TenantRecord.Command> record =
                  context.spawnAnonymous(
                      TenantRecord.create(tenant, context.getSelf().narrow(), records));
              context.watchWith(record, new TenantRecord.Unknown(tenant));
              return Behaviors.receiveMessage(
                  notice -> {
                    if (notice instanceof TenantRecord.Keyed) {
                      return Behaviors.same();
                    }
                    read.complete(Done.getInstance());
                    return Behaviors.stopped();
                  });
            }),
        "warm-up");
    return read;
  }
}
