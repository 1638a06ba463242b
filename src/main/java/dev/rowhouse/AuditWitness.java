package dev.rowhouse;

import dev.rowhouse.audit.AuditDraft;
import dev.rowhouse.audit.AuditLog;
import dev.rowhouse.reporting.Reconciliation;
import dev.rowhouse.reporting.Witness;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts what the query tables have to tell into the audit log. */
final class AuditWitness implements Witness {
  private static final Logger LOG = LoggerFactory.getLogger(AuditWitness.class);

  private final AuditLog log;

  AuditWitness(AuditLog log) {
    this.log = log;
  }

  @Override
  public CompletionStage<?> anchor(Map<String, String> heads) {
    return log.append(draft(AuditDraft.Kind.ANCHOR, "anchor", "usage", heads));
  }

  @Override
  public void alarm(Reconciliation.Outcome outcome) {
    Map<String, String> detail = new HashMap<>();
    for (Reconciliation.Difference difference : outcome.differences()) {
      if (detail.size() < AuditDraft.DETAILS_MAX) {
        detail.put(
            difference.persistenceId(),
            "%s: expected %s, found %s"
                .formatted(
                    difference.kind().name().toLowerCase(Locale.ROOT),
                    difference.expected(),
                    difference.found()));
      }
    }
    log.append(draft(AuditDraft.Kind.ALARM, "reconcile", outcome.tenant().value(), detail))
        .whenComplete(
            (head, failure) -> {
              if (failure != null) {
                LOG.warn("the alarm about {} is not in the audit log", outcome.tenant(), failure);
              }
            });
  }

  private static AuditDraft draft(
      AuditDraft.Kind kind, String action, String target, Map<String, String> detail) {
    return new AuditDraft(kind, "", AuditDraft.HOUSE, "", action, target, detail);
  }
}
