package dev.rowhouse.audit;

import java.util.Map;

/**
 * A line of the log.
 *
 * @param sequence from 1, without gaps
 * @param timeMillis when it was written, since 1970-01-01T00:00Z
 * @param hash {@link AuditChain#hash} of it after the entry before
 */
public record AuditEntry(
    long sequence,
    long timeMillis,
    AuditDraft.Kind kind,
    String requestId,
    String actor,
    String remote,
    String action,
    String target,
    Map<String, String> detail,
    String hash) {
  public AuditEntry {
    detail = Map.copyOf(detail);
  }

  static AuditEntry of(AuditDraft draft, long timeMillis, AuditHead after) {
    AuditEntry open =
        new AuditEntry(
            after.sequence() + 1,
            timeMillis,
            draft.kind(),
            draft.requestId(),
            draft.actor(),
            draft.remote(),
            draft.action(),
            draft.target(),
            draft.detail(),
            "");
    return open.withHash(AuditChain.hash(after.hash(), open));
  }

  private AuditEntry withHash(String own) {
    return new AuditEntry(
        sequence, timeMillis, kind, requestId, actor, remote, action, target, detail, own);
  }

  AuditHead head() {
    return new AuditHead(sequence, hash);
  }
}
