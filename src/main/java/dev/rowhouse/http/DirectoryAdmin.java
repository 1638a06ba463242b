package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.tenant.TenantDirectory;
import dev.rowhouse.tenant.TenantProfile;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/**
 * {@code GET /admin/tenants?after=&limit=&status=&plan=}: a page of all tenants, by id. It reads
 * the projection, which follows the journal within a second; no tenant is woken for it.
 */
final class DirectoryAdmin {
  private static final int LIMIT_DEFAULT = 100;

  private final TenantDirectory directory;

  DirectoryAdmin(TenantDirectory directory) {
    this.directory = directory;
  }

  CompletionStage<HttpResponse> list(Call call) {
    String limitText = call.query("limit");
    int limit = LIMIT_DEFAULT;
    if (limitText != null) {
      limit = limitText.matches("[0-9]{1,6}") ? Integer.parseInt(limitText) : 0;
      if (limit < 1 || limit > TenantDirectory.LIMIT_MAX) {
        return bad("limit", "limit must be between 1 and " + TenantDirectory.LIMIT_MAX + ".");
      }
    }
    String statusText = call.query("status");
    TenantProfile.Status status = null;
    if (statusText != null) {
      for (TenantProfile.Status one : TenantProfile.Status.values()) {
        if (one.name().toLowerCase(Locale.ROOT).equals(statusText)) {
          status = one;
        }
      }
      if (status == null) {
        return bad("status", "status must be active, suspended or offboarded.");
      }
    }
    return directory
        .list(new TenantDirectory.Query(call.query("after"), limit, status, call.query("plan")))
        .handle(
            (page, failure) ->
                page == null
                    ? Replies.problem(Refusals.journalUnavailable(1_000))
                    : Replies.json(200, json(page)));
  }

  private static ObjectNode json(TenantDirectory.Page page) {
    ObjectNode body = Json.object().put("object", "list");
    var data = body.putArray("data");
    List<TenantDirectory.Row> rows = page.rows();
    for (TenantDirectory.Row row : rows) {
      data.addObject()
          .put("id", row.tenant().value())
          .put("status", row.status().name().toLowerCase(Locale.ROOT))
          .put("plan", row.plan())
          .put("display_name", row.displayName())
          .put("created_at", row.createdAt().toString())
          .put("updated_at", row.updatedAt().toString());
    }
    return body.put("has_more", page.hasMore())
        .put("last_id", rows.isEmpty() ? null : rows.getLast().tenant().value());
  }

  private static CompletionStage<HttpResponse> bad(String field, String message) {
    return CompletableFuture.completedFuture(Replies.problem(Replies.badRequest(field, message)));
  }
}
