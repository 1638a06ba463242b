package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.tenant.ApiKey;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.FieldReader;
import dev.rowhouse.tenant.KeyEntry;
import dev.rowhouse.tenant.KeyReader;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.NewKey;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantJson;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.tenant.TenantReply;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.jspecify.annotations.Nullable;

/** {@code /admin/tenants/{id}/keys}. */
final class KeyAdmin {
  private static final int NAME_LENGTH_MAX = 128;
  private static final int SCOPES_MAX = 16;
  private static final long GRACE_SECONDS_MAX = 30L * 24 * 3600;

  private final TenantCalls calls;
  private final ClusterSecret secret;
  private final InstantSource clock;
  private final RandomGenerator random = new SecureRandom();

  KeyAdmin(TenantCalls calls, ClusterSecret secret, InstantSource clock) {
    this.calls = calls;
    this.secret = secret;
    this.clock = clock;
  }

  CompletionStage<HttpResponse> list(Call call) {
    return TenantCalls.withTenant(
        call,
        tenant ->
            calls.execute(
                tenant,
                new TenantCommand.GetProfile(),
                reply ->
                    TenantCalls.answer(
                        reply, TenantReply.ProfileIs.class, 200, is -> listed(is.profile()))));
  }

  private static ObjectNode listed(TenantProfile profile) {
    ObjectNode body = Json.object().put("object", "list");
    var data = body.putArray("data");
    profile.keys().values().stream()
        .sorted(Comparator.comparing(KeyEntry::createdAt).thenComparing(KeyEntry::id))
        .forEach(key -> data.add(TenantJson.key(key)));
    return body.put("has_more", false);
  }

  CompletionStage<HttpResponse> create(Call call) {
    return mint(
        call,
        body -> {
          String name = body.text("name", NAME_LENGTH_MAX);
          Set<Scope> scopes = scopes(body);
          Instant expiresAt = expiresAt(body);
          Limits limits = KeyReader.limits(body);
          return key ->
              new TenantCommand.CreateKey(
                  call.requestId(),
                  key,
                  name == null ? KeyReader.NAME_DEFAULT : name,
                  scopes,
                  expiresAt,
                  limits);
        },
        TenantReply.KeyCreated.class,
        (created, minted) -> shown(created.key(), minted));
  }

  CompletionStage<HttpResponse> rotate(Call call) {
    return mint(
        call,
        body -> {
          Long grace = body.integer("grace_seconds", 0, GRACE_SECONDS_MAX);
          return key ->
              new TenantCommand.RotateKey(
                  call.requestId(), call.segments().get(4), key, grace == null ? 0 : grace);
        },
        TenantReply.KeyRotated.class,
        KeyAdmin::rotated);
  }

  /**
   * Mints a key and has the tenant's record take it.
   *
   * @param read reads the body, and gives the command for the key
   */
  private <T extends TenantReply> CompletionStage<HttpResponse> mint(
      Call call,
      Function<FieldReader, Function<NewKey, TenantCommand>> read,
      Class<T> hoped,
      BiFunction<T, ApiKey.Minted, ObjectNode> shown) {
    return TenantCalls.withTenant(
        call,
        tenant ->
            OperatorBodies.read(
                call,
                root -> {
                  FieldReader body = FieldReader.of(root);
                  Function<NewKey, TenantCommand> command = read.apply(body);
                  body.close();
                  if (!body.isClean()) {
                    return TenantCalls.done(OperatorBodies.problem(body.errors()));
                  }
                  ApiKey.Minted minted = ApiKey.mint(tenant, secret, random);
                  return calls.execute(
                      tenant,
                      command.apply(minted.key()),
                      reply ->
                          TenantCalls.answer(
                              reply, hoped, 201, taken -> shown.apply(taken, minted)));
                }));
  }

  /** A merge patch of a key's name and limits; null takes a limit away. */
  CompletionStage<HttpResponse> patch(Call call) {
    return TenantCalls.withTenant(
        call,
        tenant ->
            OperatorBodies.read(
                call,
                body ->
                    OperatorBodies.checked(
                        KeyReader.readPatch(body),
                        patch ->
                            calls.execute(
                                tenant,
                                new TenantCommand.ChangeKey(
                                    call.requestId(), call.segments().get(4), patch),
                                reply ->
                                    TenantCalls.answer(
                                        reply,
                                        TenantReply.KeyChanged.class,
                                        200,
                                        changed -> TenantJson.key(changed.key()))))));
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

  CompletionStage<HttpResponse> revoke(Call call) {
    return TenantCalls.withTenant(
        call,
        tenant ->
            calls.execute(
                tenant,
                new TenantCommand.RevokeKey(call.requestId(), call.segments().get(4)),
                reply ->
                    TenantCalls.answer(
                        reply,
                        TenantReply.KeyRevoked.class,
                        200,
                        revoked -> Json.object().put("id", revoked.keyId()).put("revoked", true))));
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
    return body.put("key", minted.text()).put("note", TenantAdmin.KEY_IS_SHOWN_ONCE);
  }
}
