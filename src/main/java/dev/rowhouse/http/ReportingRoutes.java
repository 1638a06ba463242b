package dev.rowhouse.http;

import dev.rowhouse.reporting.ReconcileCounts;
import dev.rowhouse.reporting.Reporting;
import dev.rowhouse.tenant.TenantDirectory;
import java.time.InstantSource;

/** What the operator plane has of the query tables: their routes and their figures. */
final class ReportingRoutes {
  private ReportingRoutes() {}

  static void add(
      Router<Handler> router, Reporting reporting, TenantDirectory directory, InstantSource clock) {
    UsageAdmin usage = new UsageAdmin(reporting.reports(), directory, clock);
    ReconcileAdmin reconcile = new ReconcileAdmin(reporting.reconciliation(), directory);
    router
        .on("GET", "/admin/usage", "Tokens and cost of all tenants by time.", usage::usage)
        .on(
            "POST",
            "/admin/reconcile",
            "Compares ledgers, records and query tables, and rebuilds what differs.",
            reconcile::reconcile);
  }

  static void watch(Metrics metrics, Reporting reporting) {
    ReconcileCounts counts = reporting.counts();
    metrics.shows(
        "rowhouse_usage_lag_seconds",
        "Age of the oldest usage that is not in the query tables yet.",
        reporting.reports()::lagSeconds);
    metrics.counts(
        "rowhouse_usage_reconciled_total",
        "Tenants whose ledger was compared with the query tables by this node.",
        counts::tenants);
    metrics.counts(
        "rowhouse_usage_differences_total",
        "Figures that differed, those of a first fill and of settled doubts included.",
        counts::differences);
    metrics.counts(
        "rowhouse_usage_alarms_total",
        "Tenants whose figures differed although nothing had announced it. Not 0: look at the log.",
        counts::alarms);
    metrics.counts(
        "rowhouse_usage_rebuilt_total",
        "Tenants whose query tables were rebuilt from the journal by this node.",
        counts::rebuilt);
    metrics.counts(
        "rowhouse_usage_reconcile_failures_total",
        "Times that ledgers or query tables could not be read or rebuilt.",
        counts::failures);
  }
}
