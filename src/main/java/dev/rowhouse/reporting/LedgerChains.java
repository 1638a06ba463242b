package dev.rowhouse.reporting;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.ChainHead;
import dev.rowhouse.usage.LedgerChain;
import dev.rowhouse.usage.LedgerVerifier;
import dev.rowhouse.usage.SegmentId;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;

/** Checks the hash chains of a tenant's ledger against heads that were kept elsewhere. */
public final class LedgerChains {
  private final ActorSystem<?> system;
  private final Fence fence;
  private final Executor blocking;
  private final String readJournal;

  LedgerChains(ActorSystem<?> system, Fence fence, Executor blocking, String readJournal) {
    this.system = system;
    this.fence = fence;
    this.blocking = blocking;
    this.readJournal = readJournal;
  }

  /** The faults of all segments that the Fence or an anchor knows; none when they are intact. */
  public CompletionStage<List<LedgerChain.Fault>> check(
      String name, Collection<ChainHead> anchors) {
    TenantId tenant = new TenantId(name);
    return fence
        .claims(SegmentId.fenceName(tenant), blocking)
        .thenCompose(
            claims -> {
              TreeSet<Long> segments = new TreeSet<>();
              claims.forEach(claim -> segments.add(claim.number()));
              anchors.forEach(head -> segments.add(SegmentId.of(head.persistenceId()).number()));
              return LedgerVerifier.verify(system, tenant, segments, anchors, readJournal);
            })
        .thenApply(LedgerChain.Report::faults);
  }
}
