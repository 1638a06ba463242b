package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.CatalogKeeper;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.ModelReader;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.PlanReader;
import dev.rowhouse.tenant.TenantJson;
import java.time.Duration;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /admin/plans} and {@code /admin/models}: the catalog that every node copies. */
final class CatalogAdmin {
  private final ActorSystem<?> system;
  private final ActorRef<CatalogKeeper.Command> keeper;
  private final CatalogReplica replica;
  private final int slotsDefault;
  private final Duration askTimeout;

  CatalogAdmin(
      ActorSystem<?> system,
      ActorRef<CatalogKeeper.Command> keeper,
      CatalogReplica replica,
      int slotsDefault,
      Duration askTimeout) {
    this.system = system;
    this.keeper = keeper;
    this.replica = replica;
    this.slotsDefault = slotsDefault;
    this.askTimeout = askTimeout;
  }

  CompletionStage<HttpResponse> plans(Call call) {
    ObjectNode body = Json.object().put("object", "list");
    var data = body.putArray("data");
    new TreeMap<>(replica.current().plans())
        .values()
        .forEach(plan -> data.add(TenantJson.plan(plan)));
    return done(Replies.json(200, body.put("has_more", false)));
  }

  CompletionStage<HttpResponse> models(Call call) {
    ObjectNode body = Json.object().put("object", "list");
    var data = body.putArray("data");
    new TreeMap<>(replica.current().models())
        .values()
        .forEach(model -> data.add(TenantJson.model(model)));
    return done(Replies.json(200, body.put("has_more", false)));
  }

  CompletionStage<HttpResponse> plan(Call call) {
    Plan plan = replica.current().plan(name(call));
    return done(
        plan == null
            ? Replies.problem(Replies.notFound("There is no plan '" + name(call) + "'."))
            : Replies.json(200, TenantJson.plan(plan)));
  }

  CompletionStage<HttpResponse> model(Call call) {
    ModelSpec model = replica.current().model(name(call));
    return done(
        model == null
            ? Replies.problem(Replies.notFound("There is no model '" + name(call) + "'."))
            : Replies.json(200, TenantJson.model(model)));
  }

  CompletionStage<HttpResponse> putPlan(Call call) {
    return OperatorBodies.read(
        call,
        body ->
            OperatorBodies.checked(
                PlanReader.read(name(call), body),
                plan ->
                    execute(
                        new CatalogKeeper.PutPlan(call.requestId(), plan),
                        catalog -> Replies.json(200, TenantJson.plan(plan)))));
  }

  CompletionStage<HttpResponse> putModel(Call call) {
    return OperatorBodies.read(
        call,
        body ->
            OperatorBodies.checked(
                ModelReader.read(name(call), body, slotsDefault),
                model ->
                    execute(
                        new CatalogKeeper.PutModel(call.requestId(), model),
                        catalog -> Replies.json(200, TenantJson.model(model)))));
  }

  CompletionStage<HttpResponse> deletePlan(Call call) {
    return execute(
        new CatalogKeeper.DeletePlan(call.requestId(), name(call)), catalog -> deleted(call));
  }

  CompletionStage<HttpResponse> deleteModel(Call call) {
    return execute(
        new CatalogKeeper.DeleteModel(call.requestId(), name(call)), catalog -> deleted(call));
  }

  private static HttpResponse deleted(Call call) {
    return Replies.json(200, Json.object().put("id", name(call)).put("deleted", true));
  }

  /** The answer waits until this node's copy has the change, so that the next request sees it. */
  private CompletionStage<HttpResponse> execute(
      CatalogKeeper.Change change, Function<Catalog, HttpResponse> good) {
    return AskPattern.<CatalogKeeper.Command, CatalogKeeper.Reply>ask(
            keeper,
            replyTo -> new CatalogKeeper.Execute(change, replyTo),
            askTimeout,
            system.scheduler())
        .handle(
            (reply, failure) -> {
              if (reply == null) {
                return Replies.problem(Refusals.journalUnavailable(1_000));
              }
              return switch (reply) {
                case CatalogKeeper.Done done -> {
                  replica.accept(done.catalog());
                  yield good.apply(done.catalog());
                }
                case CatalogKeeper.Refused refused -> {
                  boolean later = refused.reason().httpStatus() == 503;
                  yield Replies.problem(
                      new Refusal(
                          refused.reason().httpStatus(),
                          refused.reason().code(),
                          refused.message(),
                          null,
                          later ? 1_000 : 0,
                          later));
                }
              };
            });
  }

  private static String name(Call call) {
    return call.segments().get(2);
  }

  private static CompletionStage<HttpResponse> done(HttpResponse response) {
    return CompletableFuture.completedFuture(response);
  }
}
