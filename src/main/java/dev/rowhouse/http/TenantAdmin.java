package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.tenant.ApiKey;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.ReservationClaim;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantJson;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.tenant.TenantSpecReader;
import java.security.SecureRandom;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /admin/tenants/{id}} and its keys. */
final class TenantAdmin {
  static final String KEY_IS_SHOWN_ONCE =
      "The key is shown this once. Keep it; the house keeps only its hash.";

  private final TenantCalls calls;
  private final Reservations reservations;
  private final CatalogReplica catalog;
  private final ClusterSecret secret;
  private final RandomGenerator random = new SecureRandom();

  TenantAdmin(
      TenantCalls calls, Reservations reservations, CatalogReplica catalog, ClusterSecret secret) {
    this.calls = calls;
    this.reservations = reservations;
    this.catalog = catalog;
    this.secret = secret;
  }

  CompletionStage<HttpResponse> put(Call call) {
    return TenantCalls.withTenant(
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
      return TenantCalls.other(reply);
    }
    ObjectNode body = TenantJson.profile(onboarded.profile());
    var provisioned = body.putArray("provisioned");
    onboarded.provisioned().forEach(provisioned::add);
    if (!onboarded.created()) {
      return TenantCalls.done(Replies.json(200, body));
    }
    if (minted.key().id().equals(onboarded.keyId())) {
      body.putObject("api_key")
          .put("id", minted.key().id())
          .put("key", minted.text())
          .put("note", KEY_IS_SHOWN_ONCE);
    }
    return TenantCalls.done(Replies.json(201, body));
  }

  CompletionStage<HttpResponse> get(Call call) {
    return TenantCalls.withTenant(
        call,
        tenant ->
            calls.execute(
                tenant,
                new TenantCommand.GetProfile(),
                reply ->
                    reply instanceof TenantReply.ProfileIs is
                            && is.profile().status() == TenantProfile.Status.OFFBOARDED
                        ? TenantCalls.done(Replies.problem(offboarded(tenant)))
                        : profile(200, reply)));
  }

  private static Refusal offboarded(TenantId tenant) {
    return new Refusal(
        404, "tenant_offboarded", "The tenant '" + tenant + "' was offboarded.", null, 0, false);
  }

  CompletionStage<HttpResponse> patch(Call call) {
    return TenantCalls.withTenant(
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
                ? TenantCalls.done(Replies.problem(claim.refusal()))
                : calls.execute(
                    tenant,
                    command,
                    reply ->
                        (reply instanceof TenantReply.Refused
                                ? reservations.undo(command.requestId(), claim, tenant)
                                : reservations.settle(command.requestId(), claim, reply))
                            .thenCompose(_ -> next.apply(reply))));
  }

  CompletionStage<HttpResponse> suspend(Call call) {
    return TenantCalls.withTenant(
        call,
        tenant ->
            calls.execute(
                tenant, new TenantCommand.Suspend(call.requestId()), reply -> profile(200, reply)));
  }

  CompletionStage<HttpResponse> resume(Call call) {
    return TenantCalls.withTenant(
        call,
        tenant ->
            calls.execute(
                tenant, new TenantCommand.Resume(call.requestId()), reply -> profile(200, reply)));
  }

  private CompletionStage<HttpResponse> profile(int status, TenantReply reply) {
    return TenantCalls.answer(
        reply, TenantReply.ProfileIs.class, status, is -> TenantJson.profile(is.profile()));
  }
}
