package dev.rowhouse.audit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Reads the whole log, a page at a time, and checks its chain: against the base after which it
 * begins, against the file beside the database, and the newest anchors against those in the log.
 * Call {@link #next} until it says that there is no more, then {@link #report}.
 */
public final class AuditVerification {
  private static final String SEQUENCE = "base_sequence";
  private static final String HASH = "base_hash";

  private final AuditTable table;
  private final Executor blocking;
  private final @Nullable AuditHeadFile file;
  private final List<AuditChain.Fault> faults = new ArrayList<>();
  private @Nullable AuditHead kept;
  private AuditHead base = AuditHead.GENESIS;
  private @Nullable AuditChain chain;
  private boolean isBaseTold = true;

  /**
   * What came out.
   *
   * @param base after which entry the log begins; 0: with its first
   * @param head the end of the log, to be kept elsewhere
   * @param file the head that the file beside the database had; absent when there is none
   */
  public record Report(
      long base,
      long entries,
      AuditHead head,
      @Nullable AuditHead file,
      List<AuditChain.Fault> faults) {
    public Report {
      faults = List.copyOf(faults);
    }
  }

  AuditVerification(AuditTable table, Executor blocking, @Nullable AuditHeadFile file) {
    this.table = table;
    this.blocking = blocking;
    this.file = file;
  }

  /** The draft that tells of a base. */
  static AuditDraft base(AuditHead base) {
    return new AuditDraft(
        AuditDraft.Kind.BASE,
        "",
        AuditDraft.HOUSE,
        "",
        "prune",
        "audit",
        Map.of(SEQUENCE, Long.toString(base.sequence()), HASH, base.hash()));
  }

  /** Reads on; tells whether there was something. */
  public CompletionStage<Boolean> next() {
    return CompletableFuture.supplyAsync(this::read, blocking);
  }

  public long entries() {
    return chain == null ? 0 : chain.entries();
  }

  private boolean read() {
    AuditChain open = chain == null ? begin() : chain;
    chain = open;
    List<AuditEntry> page = table.read(AuditQuery.after(open.last().sequence()));
    for (AuditEntry entry : page) {
      open.next(entry);
      isBaseTold |=
          entry.kind() == AuditDraft.Kind.BASE && entry.detail().equals(base(base).detail());
      if (entry.kind() == AuditDraft.Kind.ANCHOR) {
        compare(entry);
      }
    }
    return !page.isEmpty();
  }

  private AuditChain begin() {
    // Before the log: what is written meanwhile makes the log longer, never shorter.
    kept = file == null ? null : file.read();
    base = table.base();
    isBaseTold = base.sequence() == 0;
    AuditChain begun = new AuditChain(base);
    if (kept != null) {
      begun.expect(kept, "the file audit-head");
    }
    return begun;
  }

  /** The table of newest anchors is what ledgers are checked against; it may not be behind. */
  private void compare(AuditEntry entry) {
    Map<String, AuditHead> newest = table.anchorsOf(entry.detail().keySet());
    entry
        .detail()
        .forEach(
            (persistenceId, text) -> {
              AuditHead told = AuditChain.head(text);
              AuditHead found = newest.get(persistenceId);
              boolean isRight =
                  told == null
                      || (found != null
                          && (found.sequence() > told.sequence() || found.equals(told)));
              if (!isRight && faults.size() < AuditChain.FAULTS_MAX) {
                faults.add(
                    new AuditChain.Fault(
                        AuditChain.Kind.ALTERED,
                        entry.sequence(),
                        "the anchor of " + persistenceId + " at " + text + " or a newer one",
                        found == null ? "none" : AuditChain.text(found),
                        "Put what the entry says into rowhouse_audit_anchors and check again."));
              }
            });
  }

  public Report report() {
    AuditChain read = chain == null ? begin() : chain;
    List<AuditChain.Fault> all = new ArrayList<>();
    if (!isBaseTold) {
      all.add(
          new AuditChain.Fault(
              AuditChain.Kind.MISSING,
              base.sequence(),
              "an entry that tells of the pruning up to " + base.sequence(),
              "none: the beginning of the log was cut",
              "Restore the entries up to " + base.sequence() + " from a backup."));
    }
    all.addAll(read.end());
    all.addAll(faults);
    return new Report(base.sequence(), read.entries(), read.last(), kept, all);
  }
}
