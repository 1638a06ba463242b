package dev.rowhouse.serving;

import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.retrieval.Retrieval;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.usage.UsageRecord;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes a worker's order of an admitted request, and a ledger's record of a worker's report. */
final class Orders {
  private final TenantId tenant;

  Orders(TenantId tenant) {
    this.tenant = tenant;
  }

  RunOrder order(InFlight request, TenantProfile profile, long nowMillis) {
    Ask ask = request.ask;
    String asked = ask.modelAsked() == null ? request.model.name() : ask.modelAsked();
    return new RunOrder(
        ask.attempt(),
        tenant,
        ask.key().keyId(),
        asked,
        request.model,
        request.fallbacks,
        ask.stream(),
        ask.includeUsage(),
        ask.label(),
        Instant.ofEpochMilli(ask.receivedAtMillis()),
        nowMillis - ask.receivedAtMillis(),
        Instant.ofEpochMilli(ask.deadlineMillis()),
        ask.inputTokens(),
        retrieval(ask.retrieval(), profile.retrieval()),
        request.prompt,
        ask.variables(),
        ask.bodyBytes());
  }

  UsageRecord record(RunReport report, Catalog catalog) {
    RunOrder order = report.order();
    ModelSpec answering = catalog.model(report.modelAnswered());
    ModelSpec priced = answering == null ? order.model() : answering;
    return new UsageRecord(
        order.attempt(),
        order.admittedAt().toEpochMilli(),
        order.keyId(),
        order.modelAsked(),
        report.modelAnswered(),
        report.inputTokens(),
        report.outputTokens(),
        switch (report.outcome()) {
          case COMPLETED -> UsageRecord.Status.COMPLETED;
          case CANCELLED -> UsageRecord.Status.CANCELLED;
          case FAILED -> UsageRecord.Status.FAILED;
        },
        report.httpStatus(),
        report.errorCode(),
        order.stream(),
        report.estimated(),
        report.latencyMillis(),
        report.timeToFirstTokenMillis(),
        order.queueMillis(),
        UsageRecord.MISS,
        order.label(),
        Desk.costMicros(priced, report.inputTokens(), report.outputTokens()),
        0);
  }

  private RunOrder.@Nullable RetrievalPlan retrieval(
      Ask.RetrievalChoice choice, TenantProfile.RetrievalSettings ofTenant) {
    List<String> stores = choice.stores() == null ? ofTenant.stores() : choice.stores();
    if (choice.off() || stores.isEmpty()) {
      return null;
    }
    int topK = choice.topK() == null ? ofTenant.topK() : choice.topK();
    return new RunOrder.RetrievalPlan(Retrieval.handleOf(tenant), stores, topK);
  }
}
