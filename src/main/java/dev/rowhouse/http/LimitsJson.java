package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.LimitsView;
import dev.rowhouse.tenant.KeyEntry;
import dev.rowhouse.tenant.TenantJson;
import dev.rowhouse.tenant.TenantProfile;
import org.jspecify.annotations.Nullable;

/** The answer of {@code GET /v1/limits}: each limit, used, remaining, reset. */
final class LimitsJson {
  private LimitsJson() {}

  static ObjectNode of(TenantProfile profile, LimitsView limits) {
    ObjectNode body = Json.object().put("object", "limits").put("plan", profile.plan());
    ObjectNode all = rows(body.putObject("limits"), limits.tenant());
    row(all, "queue_length", limits.queueLength());
    LimitsView.Rows ofKey = limits.key();
    if (ofKey != null) {
      rows(body.putObject("key").put("id", limits.keyId()).putObject("limits"), ofKey);
    }
    KeyEntry key = profile.keys().get(limits.keyId());
    ArrayNode marks = body.putArray("budget_marks");
    profile.marks().stream()
        .filter(
            it -> it.mark().key() == null || (key != null && it.mark().key().equals(key.meter())))
        .forEach(it -> marks.add(TenantJson.mark(it)));
    return body;
  }

  private static ObjectNode rows(ObjectNode all, LimitsView.Rows rows) {
    row(all, "requests_per_minute", rows.requestsPerMinute());
    row(all, "tokens_per_minute", rows.tokensPerMinute());
    row(all, "concurrent_requests", rows.concurrentRequests());
    row(all, "tokens_per_month", rows.tokensPerMonth());
    LimitsView.Row spend = rows.spendPerMonthMicros();
    if (spend != null) {
      all.putObject("spend_per_month")
          .put("limit", spend.limit() / 1e6)
          .put("used", spend.used() / 1e6)
          .put("remaining", spend.remaining() / 1e6)
          .put("reset_seconds", spend.resetMillis() / 1000.0);
    }
    return all;
  }

  private static void row(ObjectNode all, String name, LimitsView.@Nullable Row row) {
    if (row != null) {
      all.putObject(name)
          .put("limit", row.limit())
          .put("used", row.used())
          .put("remaining", row.remaining())
          .put("reset_seconds", row.resetMillis() / 1000.0);
    }
  }
}
