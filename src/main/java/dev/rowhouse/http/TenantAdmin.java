package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.retrieval.KnowledgeEntity;
import dev.rowhouse.retrieval.KnowledgeReply;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.tenant.ApiKey;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.FieldReader;
import dev.rowhouse.tenant.KeyEntry;
import dev.rowhouse.tenant.ReservationClaim;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantJson;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.tenant.TenantSpecReader;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.jspecify.annotations.Nullable;

/** {@code /admin/tenants/{id}} and its keys. */
final class TenantAdmin {
  private static final int NAME_LENGTH_MAX = 128;
  private static final int SCOPES_MAX = 16;
  private static final long GRACE_SECONDS_MAX = 30L * 24 * 3600;
  private static final String KEY_IS_SHOWN_ONCE =
      "The key is shown this once. Keep it; the house keeps only its hash.";

  private final TenantPort tenants;
  private final KnowledgePort knowledge;
  private final Reservations reservations;
  private final CatalogReplica catalog;
  private final ClusterSecret secret;
  private final InstantSource clock;
  private final RandomGenerator random = new SecureRandom();

  TenantAdmin(
      TenantPort tenants,
      KnowledgePort knowledge,
      Reservations reservations,
      CatalogReplica catalog,
      ClusterSecret secret,
      InstantSource clock) {
    this.tenants = tenants;
    this.knowledge = knowledge;
    this.reservations = reservations;
    this.catalog = catalog;
    this.secret = secret;
    this.clock = clock;
  }

  CompletionStage<HttpResponse> put(Call call) {
    return withTenant(
        call,
        tenant ->
            OperatorBodies.read(
                call,
                body ->
                    OperatorBodies.checked(
                        TenantSpecReader.read(body, tenant, catalog.current()),
                        spec -> {
                          ApiKey.Minted minted = ApiKey.mint(tenant, secret, random);
                          return configure(
                              tenant,
                              new TenantCommand.Onboard(call.requestId(), spec, minted.key()),
                              reservations.claim(
                                  call.requestId(), tenant, ReservationClaim.of(spec)),
                              reply -> onboarded(minted, reply));
                        })));
  }

  /** A store named {@code default} is there as soon as anything asks for it. */
  private CompletionStage<HttpResponse> onboarded(ApiKey.Minted minted, TenantReply reply) {
    if (!(reply instanceof TenantReply.Onboarded onboarded)) {
      return other(reply);
    }
    ObjectNode body = TenantJson.profile(onboarded.profile());
    var provisioned = body.putArray("provisioned");
    onboarded.provisioned().forEach(provisioned::add);
    if (!onboarded.created()) {
      return done(Replies.json(200, body));
    }
    if (minted.key().id().equals(onboarded.keyId())) {
      body.putObject("api_key")
          .put("id", minted.key().id())
          .put("key", minted.text())
          .put("note", KEY_IS_SHOWN_ONCE);
    }
    return done(Replies.json(201, body));
  }

  CompletionStage<HttpResponse> get(Call call) {
    return withTenant(
        call,
        tenant ->
            execute(
                tenant,
                new TenantCommand.GetProfile(),
                reply ->
                    reply instanceof TenantReply.ProfileIs is
                            && is.profile().status() == TenantProfile.Status.OFFBOARDED
                        ? done(Replies.problem(offboarded(tenant)))
                        : profile(200, reply)));
  }

  private static Refusal offboarded(TenantId tenant) {
    return new Refusal(
        404, "tenant_offboarded", "The tenant '" + tenant + "' was offboarded.", null, 0, false);
  }

  CompletionStage<HttpResponse> patch(Call call) {
    return withTenant(
        call,
        tenant ->
            OperatorBodies.read(
                call,
                body ->
                    OperatorBodies.checked(
                        TenantSpecReader.readPatch(body, tenant, catalog.current()),
                        patch ->
                            configure(
                                tenant,
                                new TenantCommand.Patch(call.requestId(), patch),
                                reservations.claim(call.requestId(), tenant, patch),
                                reply -> profile(200, reply)))));
  }

  /** Changes settings when what they reserve fits. */
  private CompletionStage<HttpResponse> configure(
      TenantId tenant,
      TenantCommand.Change command,
      CompletionStage<Reservations.Claim> claiming,
      Function<TenantReply, CompletionStage<HttpResponse>> next) {
    return claiming.thenCompose(
        claim ->
            claim.refusal() != null
                ? done(Replies.problem(claim.refusal()))
                : execute(
                    tenant,
                    command,
                    reply ->
                        (reply instanceof TenantReply.Refused
                                ? reservations.undo(command.requestId(), claim, tenant)
                                : reservations.settle(command.requestId(), claim, reply))
                            .thenCompose(_ -> next.apply(reply))));
  }

  CompletionStage<HttpResponse> suspend(Call call) {
    return withTenant(
        call,
        tenant ->
            execute(
                tenant, new TenantCommand.Suspend(call.requestId()), reply -> profile(200, reply)));
  }

  CompletionStage<HttpResponse> resume(Call call) {
    return withTenant(
        call,
        tenant ->
            execute(
                tenant, new TenantCommand.Resume(call.requestId()), reply -> profile(200, reply)));
  }

  /** Ends the tenant: its keys first, so that nothing new comes, then what it knew. */
  CompletionStage<HttpResponse> delete(Call call) {
    return withTenant(
        call,
        tenant ->
            execute(
                tenant,
                new TenantCommand.Offboard(call.requestId()),
                reply ->
                    reply instanceof TenantReply.Offboarded offboarded
                        ? reservations
                            .release(call.requestId(), tenant)
                            .thenCompose(_ -> erase(tenant, offboarded))
                        : other(reply)));
  }

  private CompletionStage<HttpResponse> erase(TenantId tenant, TenantReply.Offboarded offboarded) {
    return knowledge
        .ask(tenant, replyTo -> new KnowledgeEntity.Erase(replyTo))
        .thenApply(
            reply -> {
              if (!(reply instanceof KnowledgeReply.Erased erased)) {
                return Replies.problem(
                    new Refusal(
                        503,
                        "erasure_incomplete",
                        "The tenant is offboarded, but its documents are not erased yet. Send the"
                            + " same DELETE again.",
                        null,
                        1_000,
                        true));
              }
              ObjectNode body =
                  Json.object()
                      .put("tenant", tenant.value())
                      .put("status", "offboarded")
                      .put("offboarded_at", offboarded.at().toString());
              body.putObject("erased")
                  .put("keys", offboarded.keysRevoked())
                  .put("prompts", offboarded.promptsErased())
                  .put("files", erased.files())
                  .put("vector_stores", erased.stores())
                  .put("chunks", erased.chunks());
              body.putArray("kept").add("usage totals and records, which hold no content");
              return Replies.json(200, body);
            });
  }

  CompletionStage<HttpResponse> keys(Call call) {
    return withTenant(
        call,
        tenant ->
            execute(
                tenant,
                new TenantCommand.GetProfile(),
                reply -> {
                  if (!(reply instanceof TenantReply.ProfileIs is)) {
                    return other(reply);
                  }
                  ObjectNode body = Json.object().put("object", "list");
                  var data = body.putArray("data");
                  is.profile().keys().values().stream()
                      .sorted(Comparator.comparing(KeyEntry::createdAt).thenComparing(KeyEntry::id))
                      .forEach(key -> data.add(TenantJson.key(key)));
                  return done(Replies.json(200, body.put("has_more", false)));
                }));
  }

  CompletionStage<HttpResponse> createKey(Call call) {
    return withTenant(
        call,
        tenant ->
            OperatorBodies.read(
                call,
                root -> {
                  FieldReader body = FieldReader.of(root);
                  String name = body.text("name", NAME_LENGTH_MAX);
                  Set<Scope> scopes = scopes(body);
                  Instant expiresAt = expiresAt(body);
                  body.close();
                  if (!body.isClean()) {
                    return done(OperatorBodies.problem(body.errors()));
                  }
                  ApiKey.Minted minted = ApiKey.mint(tenant, secret, random);
                  return execute(
                      tenant,
                      new TenantCommand.CreateKey(
                          call.requestId(),
                          minted.key(),
                          name == null ? "" : name,
                          scopes,
                          expiresAt),
                      reply ->
                          reply instanceof TenantReply.KeyCreated created
                              ? done(Replies.json(201, shown(created.key(), minted)))
                              : other(reply));
                }));
  }

  private Set<Scope> scopes(FieldReader body) {
    Set<Scope> scopes = new HashSet<>();
    List<String> labels = body.texts("scopes", SCOPES_MAX, NAME_LENGTH_MAX);
    for (int i = 0; i < labels.size(); i++) {
      Scope scope = Scope.ofLabel(labels.get(i));
      if (scope == null) {
        body.error("scopes[" + i + "]", "must be one of inference, knowledge, prompts, usage:read");
      } else {
        scopes.add(scope);
      }
    }
    return scopes.isEmpty() ? EnumSet.allOf(Scope.class) : scopes;
  }

  private @Nullable Instant expiresAt(FieldReader body) {
    String text = body.text("expires_at", NAME_LENGTH_MAX);
    if (text == null) {
      return null;
    }
    try {
      Instant time = Instant.parse(text);
      if (!time.isAfter(clock.instant())) {
        body.error("expires_at", "must be in the future");
      }
      return time;
    } catch (DateTimeParseException e) {
      body.error("expires_at", "must be a time such as 2027-01-31T00:00:00Z");
      return null;
    }
  }

  CompletionStage<HttpResponse> revokeKey(Call call) {
    return withTenant(
        call,
        tenant ->
            execute(
                tenant,
                new TenantCommand.RevokeKey(call.requestId(), call.segments().get(4)),
                reply ->
                    reply instanceof TenantReply.KeyRevoked revoked
                        ? done(
                            Replies.json(
                                200, Json.object().put("id", revoked.keyId()).put("revoked", true)))
                        : other(reply)));
  }

  CompletionStage<HttpResponse> rotateKey(Call call) {
    return withTenant(
        call,
        tenant ->
            OperatorBodies.read(
                call,
                root -> {
                  FieldReader body = FieldReader.of(root);
                  Long grace = body.integer("grace_seconds", 0, GRACE_SECONDS_MAX);
                  body.close();
                  if (!body.isClean()) {
                    return done(OperatorBodies.problem(body.errors()));
                  }
                  ApiKey.Minted minted = ApiKey.mint(tenant, secret, random);
                  return execute(
                      tenant,
                      new TenantCommand.RotateKey(
                          call.requestId(),
                          call.segments().get(4),
                          minted.key(),
                          grace == null ? 0 : grace),
                      reply ->
                          reply instanceof TenantReply.KeyRotated rotated
                              ? done(Replies.json(201, rotated(rotated, minted)))
                              : other(reply));
                }));
  }

  private static ObjectNode rotated(TenantReply.KeyRotated rotated, ApiKey.Minted minted) {
    ObjectNode body = shown(rotated.key(), minted);
    KeyEntry old = rotated.old();
    if (old != null) {
      body.set("replaced", TenantJson.key(old));
    }
    return body;
  }

  private static ObjectNode shown(KeyEntry key, ApiKey.Minted minted) {
    ObjectNode body = TenantJson.key(key);
    return body.put("key", minted.text()).put("note", KEY_IS_SHOWN_ONCE);
  }

  private CompletionStage<HttpResponse> profile(int status, TenantReply reply) {
    return reply instanceof TenantReply.ProfileIs is
        ? done(Replies.json(status, TenantJson.profile(is.profile())))
        : other(reply);
  }

  private CompletionStage<HttpResponse> execute(
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

  private static CompletionStage<HttpResponse> other(TenantReply reply) {
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

  private static CompletionStage<HttpResponse> withTenant(
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

  private static CompletionStage<HttpResponse> done(HttpResponse response) {
    return CompletableFuture.completedFuture(response);
  }
}
