package dev.rowhouse.http;

import dev.rowhouse.audit.AuditLog;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What the operator plane has of the audit log: its routes and its head. */
final class AuditRoutes {
  private AuditRoutes() {}

  static void add(Router<Handler> router, AuditLog log) {
    AuditAdmin audit =
        new AuditAdmin(log, (tenant, anchors) -> CompletableFuture.completedFuture(List.of()));
    router
        .on("GET", "/admin/audit", "Who changed what.", audit::list)
        .on(
            "POST",
            "/admin/audit/verify",
            "Checks the chain of the audit log, and those of the ledgers that it anchors.",
            audit::verify);
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
