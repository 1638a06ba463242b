package dev.rowhouse.http;

import dev.rowhouse.serving.Ask;
import dev.rowhouse.serving.LimitsView;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.tenant.ApiKey;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantProfile;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.jspecify.annotations.Nullable;

/**
 * The tenant plane: who calls is read from the key, then the route is looked up. A key that this
 * house did not mint is refused here, without a message to anyone.
 */
final class TenantPlane implements Handler {
  /** A route of the tenant plane; it knows who calls. */
  @FunctionalInterface
  interface TenantHandler {
    CompletionStage<HttpResponse> handle(Call call, Caller caller);
  }

  /** Who calls: the tenant, and the key that has yet to be looked up at the tenant. */
  record Caller(TenantId tenant, Ask.Credential key) {}

  /** A route that needs the tenant's word first; it sees profile and limits as they are. */
  @FunctionalInterface
  interface AuthorizedHandler {
    CompletionStage<HttpResponse> handle(
        Call call, Caller caller, TenantProfile profile, LimitsView limits);
  }

  private final Router<TenantHandler> router;
  private final Router<Handler> open;
  private final ClusterSecret secret;
  private final BooleanSupplier majority;

  /**
   * A plane of these routes.
   *
   * @param majority whether this node reaches the majority of its cluster: without it nothing is
   *     admitted
   */
  TenantPlane(
      Router<TenantHandler> router,
      Router<Handler> open,
      ClusterSecret secret,
      BooleanSupplier majority) {
    this.router = router;
    this.open = open;
    this.secret = secret;
    this.majority = majority;
  }

  /** A handler that first asks the tenant whether the key has that scope. */
  static TenantHandler authorized(TenantPort tenants, Scope scope, AuthorizedHandler next) {
    return (call, caller) ->
        tenants
            .<TenantEntity.Authorization>ask(
                caller.tenant(),
                replyTo -> new TenantEntity.Authorize(caller.key(), scope, replyTo))
            .handle(
                (authorization, failure) -> {
                  if (authorization == null) {
                    return CompletableFuture.completedFuture(
                        Replies.openAiError(Refusals.journalUnavailable(1_000)));
                  }
                  return switch (authorization) {
                    case TenantEntity.Denied denied ->
                        CompletableFuture.completedFuture(Replies.openAiError(denied.refusal()));
                    case TenantEntity.Granted granted ->
                        next.handle(call, caller, granted.profile(), granted.limits());
                  };
                })
            .thenCompose(stage -> stage);
  }

  @Override
  public CompletionStage<HttpResponse> handle(Call call) {
    if (open.match(call.method(), call.segments()) instanceof Router.Match.Found<Handler> found) {
      return found.route().handler().handle(call);
    }
    if (!majority.getAsBoolean()) {
      return refused(call, Refusals.noMajority());
    }
    String key = bearer(call);
    if (key == null) {
      return refused(
          call,
          new Refusal(
              401,
              "invalid_api_key",
              "You didn't provide an API key. Send it as 'Authorization: Bearer rh_...'.",
              null,
              0,
              false));
    }
    return switch (ApiKey.parse(key, secret)) {
      case ApiKey.Malformed _, ApiKey.Forged _ -> refused(call, Refusals.invalidKey());
      case ApiKey.Valid valid ->
          route(
              call,
              new Caller(valid.tenant(), new Ask.Credential(valid.keyId(), valid.secretSha256())));
    };
  }

  private CompletionStage<HttpResponse> route(Call call, Caller caller) {
    return switch (router.match(call.method(), call.segments())) {
      case Router.Match.Found<TenantHandler> found -> found.route().handler().handle(call, caller);
      case Router.Match.WrongMethod<TenantHandler> wrong ->
          refused(call, wrongMethod(call, wrong.allowed()))
              .thenApply(
                  response ->
                      response.addHeader(
                          RawHeader.create("Allow", String.join(", ", wrong.allowed()))));
      case Router.Match.Nothing<TenantHandler> _ -> refused(call, unknownPath(call));
    };
  }

  static Refusal wrongMethod(Call call, java.util.Set<String> allowed) {
    return new Refusal(
        405,
        "method_not_allowed",
        call.method().value()
            + " is not allowed here; allowed: "
            + String.join(", ", allowed)
            + ".",
        null,
        0,
        false);
  }

  static Refusal unknownPath(Call call) {
    return new Refusal(
        404,
        "not_found",
        "There is nothing at "
            + call.method().value()
            + " /"
            + String.join("/", call.segments())
            + ". GET /openapi.json lists what there is.",
        null,
        0,
        false);
  }

  private static CompletionStage<HttpResponse> refused(Call call, Refusal refusal) {
    call.request().discardEntityBytes(call.materializer());
    return CompletableFuture.completedFuture(Replies.openAiError(refusal));
  }

  static @Nullable String bearer(Call call) {
    String authorization = call.header("Authorization");
    if (authorization == null) {
      return null;
    }
    int space = authorization.indexOf(' ');
    return space > 0 && authorization.substring(0, space).toLowerCase(Locale.ROOT).equals("bearer")
        ? authorization.substring(space + 1).trim()
        : null;
  }
}
