package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantReply;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** How the operator plane has a tenant's record do something. */
final class TenantCalls {
  private final TenantPort tenants;

  TenantCalls(TenantPort tenants) {
    this.tenants = tenants;
  }

  /** Has the tenant's record execute a command. */
  CompletionStage<HttpResponse> execute(
      TenantId tenant,
      TenantCommand command,
      Function<TenantReply, CompletionStage<HttpResponse>> next) {
    return tenants
        .<TenantReply>ask(tenant, replyTo -> new TenantEntity.Administer(command, replyTo))
        .handle(
            (reply, failure) ->
                reply == null
                    ? done(Replies.problem(Refusals.journalUnavailable(1_000)))
                    : next.apply(reply))
        .thenCompose(stage -> stage);
  }

  /** The answer to a reply: what is shown of the one hoped for, or why it is another. */
  static <T extends TenantReply> CompletionStage<HttpResponse> answer(
      TenantReply reply, Class<T> hoped, int status, Function<T, ObjectNode> shown) {
    return hoped.isInstance(reply)
        ? done(Replies.json(status, shown.apply(hoped.cast(reply))))
        : other(reply);
  }

  /** The answer to a reply that is not the one hoped for. */
  static CompletionStage<HttpResponse> other(TenantReply reply) {
    if (reply instanceof TenantReply.Refused refused) {
      boolean later = refused.reason().httpStatus() == 503;
      return done(
          Replies.problem(
              new Refusal(
                  refused.reason().httpStatus(),
                  refused.reason().code(),
                  refused.message(),
                  refused.param(),
                  later ? 1_000 : 0,
                  later)));
    }
    return done(
        Replies.problem(
            new Refusal(
                500,
                "internal_error",
                "An answer of the wrong kind: " + reply.getClass(),
                null,
                0,
                false)));
  }

  /** Goes on with the tenant of the path. */
  static CompletionStage<HttpResponse> withTenant(
      Call call, Function<TenantId, CompletionStage<HttpResponse>> next) {
    String id = call.segments().get(2);
    if (!TenantId.isValid(id)) {
      call.request().discardEntityBytes(call.materializer());
      return done(
          Replies.problem(
              Replies.badRequest(
                  "id",
                  "A tenant id has 1 to 63 characters of a-z, 0-9 and '-', and starts with a letter"
                      + " or digit.")));
    }
    return next.apply(new TenantId(id));
  }

  static CompletionStage<HttpResponse> done(HttpResponse response) {
    return CompletableFuture.completedFuture(response);
  }
}
