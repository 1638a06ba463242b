package dev.rowhouse.http;

import dev.rowhouse.serving.Refusal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/**
 * The operator plane: one token opens all of it but health and the console's page. Whatever is no
 * GET may change something and is audited here, once for all routes.
 */
final class OperatorPlane implements Handler {
  private final Router<Handler> router;
  private final Router<Handler> open;
  private final byte[] token;
  private final Audited audited;
  private final RefusedCalls refusals;

  OperatorPlane(
      Router<Handler> router,
      Router<Handler> open,
      String token,
      Audited audited,
      RefusedCalls refusals) {
    this.router = router;
    this.open = open;
    this.token = token.getBytes(StandardCharsets.UTF_8);
    this.audited = audited;
    this.refusals = refusals;
  }

  @Override
  public CompletionStage<HttpResponse> handle(Call call) {
    if (open.match(call.method(), call.segments()) instanceof Router.Match.Found<Handler> found) {
      return found.route().handler().handle(call);
    }
    String given = TenantPlane.bearer(call);
    if (given == null || !MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), token)) {
      refusals.add(call);
      return refused(
          call,
          new Refusal(
              401,
              "invalid_operator_token",
              "Send 'Authorization: Bearer TOKEN' with the operator token. The node prints at its"
                  + " start where the token is kept.",
              null,
              0,
              false));
    }
    return switch (router.match(call.method(), call.segments())) {
      case Router.Match.Found<Handler> found ->
          found.route().method().equals("GET")
              ? found.route().handler().handle(call)
              : audited.handle(found.route(), call);
      case Router.Match.WrongMethod<Handler> wrong ->
          refused(call, TenantPlane.wrongMethod(call, wrong.allowed()))
              .thenApply(
                  response ->
                      response.addHeader(
                          RawHeader.create("Allow", String.join(", ", wrong.allowed()))));
      case Router.Match.Nothing<Handler> _ -> refused(call, TenantPlane.unknownPath(call));
    };
  }

  private static CompletionStage<HttpResponse> refused(Call call, Refusal refusal) {
    call.request().discardEntityBytes(call.materializer());
    return CompletableFuture.completedFuture(Replies.problem(refusal));
  }
}
