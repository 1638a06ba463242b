package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.LimitsView;
import dev.rowhouse.serving.Models;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.TenantProfile;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/**
 * {@code GET /v1/models}: the names that this tenant may use, its aliases and embedders included.
 */
final class ModelRoutes {
  private final CatalogReplica catalog;
  private final List<String> embedders;
  private final long createdAtSeconds;

  /**
   * @param embedders models that embed; they need no entry in the tenant's list
   */
  ModelRoutes(CatalogReplica catalog, List<String> embedders, long createdAtSeconds) {
    this.catalog = catalog;
    this.embedders = List.copyOf(embedders);
    this.createdAtSeconds = createdAtSeconds;
  }

  CompletionStage<HttpResponse> list(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    ObjectNode body = Json.object().put("object", "list");
    ArrayNode data = body.putArray("data");
    for (String name : Models.namesFor(profile, catalog.current(), embedders)) {
      data.add(model(name));
    }
    return CompletableFuture.completedFuture(Replies.json(200, body));
  }

  CompletionStage<HttpResponse> get(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    String name = call.segments().getLast();
    boolean known = Models.namesFor(profile, catalog.current(), embedders).contains(name);
    return CompletableFuture.completedFuture(
        known ? Replies.json(200, model(name)) : Replies.openAiError(Refusals.unknownModel(name)));
  }

  private ObjectNode model(String name) {
    return Json.object()
        .put("id", name)
        .put("object", "model")
        .put("created", createdAtSeconds)
        .put("owned_by", "rowhouse");
  }
}
