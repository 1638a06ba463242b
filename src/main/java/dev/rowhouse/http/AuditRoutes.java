package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.audit.AuditHead;
import dev.rowhouse.audit.AuditLog;
import dev.rowhouse.reporting.LedgerChains;
import dev.rowhouse.usage.ChainHead;
import dev.rowhouse.usage.LedgerChain;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the operator plane has of the audit log: its routes and its head. */
final class AuditRoutes {
  private AuditRoutes() {}

  static void add(Router<Handler> router, AuditLog log, LedgerChains chains) {
    AuditAdmin audit =
        new AuditAdmin(
            log,
            (tenant, anchors) -> chains.check(tenant, heads(anchors)).thenApply(AuditRoutes::json));
    router
        .on("GET", "/admin/audit", "Who changed what.", audit::list)
        .on(
            "POST",
            "/admin/audit/verify",
            "Checks the chain of the audit log, and those of the ledgers that it anchors.",
            audit::verify);
  }

  private static List<ChainHead> heads(Map<String, AuditHead> anchors) {
    return anchors.entrySet().stream()
        .map(it -> new ChainHead(it.getKey(), it.getValue().sequence(), it.getValue().hash()))
        .toList();
  }

  private static List<ObjectNode> json(List<LedgerChain.Fault> faults) {
    return faults.stream()
        .map(
            fault ->
                Json.object()
                    .put("type", "fault")
                    .put("log", "usage")
                    .put("kind", fault.kind().name().toLowerCase(Locale.ROOT))
                    .put("tenant", fault.tenant().value())
                    .put("persistence_id", fault.persistenceId())
                    .put("sequence_number", fault.sequence())
                    .put("found", fault.what())
                    .put("remedy", fault.remedy()))
        .toList();
  }

  static void watch(Metrics metrics, AuditLog log) {
    metrics.shows(
        "rowhouse_audit_head_sequence",
        "Number of the newest entry of the audit log.",
        () -> log.head().sequence());
    metrics.shows(
        "rowhouse_audit_head_prefix",
        "The first 48 bits of the hash of that entry.",
        () -> log.head().prefix());
  }
}
