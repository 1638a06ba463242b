package dev.rowhouse.reporting;

import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.SegmentId;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The newest heads of the ledgers' hash chains, told to the witness: those of the segments that
 * have changed since they were told last.
 */
final class Anchors {
  private Anchors() {}

  /** Tells of some segments; the others have their turn next. */
  static CompletionStage<?> tell(UsageStore store, Executor blocking, Witness witness, int max) {
    return CompletableFuture.supplyAsync(() -> store.changedHeads(max), blocking)
        .thenCompose(
            heads -> {
              if (heads.isEmpty()) {
                return CompletableFuture.completedFuture(0);
              }
              Map<String, String> told = new TreeMap<>();
              for (UsageStore.Head head : heads) {
                told.put(
                    new SegmentId(new TenantId(head.tenant()), head.segment()).persistenceId(),
                    head.sequence() + " " + head.hash());
              }
              return witness
                  .anchor(told)
                  .thenApplyAsync(
                      _ -> {
                        store.anchored(heads);
                        return heads.size();
                      },
                      blocking);
            });
  }
}
