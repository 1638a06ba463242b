package dev.rowhouse.http;

import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.tenant.Erasure;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code DELETE /admin/tenants/{id}}: ends the tenant and has everything of it erased. Its keys end
 * first, so that nothing new comes. What a crash left half done is taken up by any node.
 */
final class Offboarding {
  /** There is one operator's token, so there is one name for who asks. */
  private static final String OPERATOR = "operator";

  private static final Logger LOG = LoggerFactory.getLogger(Offboarding.class);

  private final TenantCalls calls;
  private final TenantPort tenants;
  private final Reservations reservations;
  private final Erasure erasure;

  Offboarding(TenantCalls calls, TenantPort tenants, Reservations reservations, Erasure erasure) {
    this.calls = calls;
    this.tenants = tenants;
    this.reservations = reservations;
    this.erasure = erasure;
  }

  CompletionStage<HttpResponse> delete(Call call) {
    return TenantCalls.withTenant(call, tenant -> offboard(tenant, call.requestId(), OPERATOR));
  }

  /** {@code GET /admin/erasure-key}: what verifies the reports. */
  CompletionStage<HttpResponse> key(Call call) {
    return TenantCalls.done(
        Replies.json(
            200,
            Json.object()
                .put("algorithm", "Ed25519")
                .put("key_id", erasure.signing().id())
                .put("public_key", erasure.signing().publicPem())));
  }

  /** Takes up what is unfinished, now and again and again. */
  void resume(ActorSystem<?> system) {
    Duration every = erasure.resumeEvery();
    system
        .scheduler()
        .scheduleWithFixedDelay(every, every, this::resumeAll, system.executionContext());
  }

  private void resumeAll() {
    erasure
        .unfinished()
        .thenAccept(
            all ->
                all.forEach(
                    one ->
                        offboard(one.tenant(), one.requestId(), one.askedBy())
                            .thenAccept(
                                response ->
                                    LOG.info(
                                        "erasure of {} was taken up: {}",
                                        one.tenant(),
                                        response.status()))))
        .exceptionally(
            failure -> {
              LOG.warn("unfinished erasures wait: {}", failure.toString());
              return null;
            });
  }

  private CompletionStage<HttpResponse> offboard(
      TenantId tenant, String requestId, String askedBy) {
    return erasure
        .ask(tenant, requestId, askedBy)
        .handle(
            (report, failure) ->
                report == null
                    ? TenantCalls.done(Replies.problem(Refusals.journalUnavailable(1_000)))
                    : report.isPresent()
                        ? TenantCalls.done(json(report.get()))
                        : end(tenant, requestId))
        .thenCompose(stage -> stage);
  }

  private CompletionStage<HttpResponse> end(TenantId tenant, String requestId) {
    return calls.execute(
        tenant,
        new TenantCommand.Offboard(requestId),
        reply ->
            switch (reply) {
              case TenantReply.Offboarded ended ->
                  reservations
                      .release(requestId, tenant)
                      .thenCompose(_ -> erasure.finish(ended, kept(tenant)))
                      .thenApply(Offboarding::json)
                      .exceptionally(failure -> unfinished(tenant, failure));
              case TenantReply.Refused refused
                  when refused.reason() == TenantReply.Reason.TENANT_NOT_FOUND ->
                  erasure
                      .withdraw(tenant, requestId)
                      .handle((_, _) -> refused)
                      .thenCompose(TenantCalls::other);
              default -> TenantCalls.other(reply);
            });
  }

  private CompletionStage<Map<String, Long>> kept(TenantId tenant) {
    return tenants
        .<LedgerReply.Sums>ask(
            tenant, replyTo -> new TenantEntity.QueryLedger(new UsageLedger.GetTotals(replyTo)))
        .thenCompose(
            sums ->
                switch (sums) {
                  case LedgerReply.TotalsNow now ->
                      CompletableFuture.completedFuture(
                          Map.of(
                              "records", now.totals().requests(),
                              "input_tokens", now.totals().inputTokens(),
                              "output_tokens", now.totals().outputTokens(),
                              "cost_micros", now.totals().costMicros()));
                  case LedgerReply.Away away ->
                      CompletableFuture.failedFuture(new IllegalStateException(away.reason()));
                });
  }

  private static HttpResponse unfinished(TenantId tenant, Throwable failure) {
    LOG.warn("the erasure of {} is not finished: {}", tenant, failure.toString());
    return Replies.problem(
        new Refusal(
            503,
            "erasure_incomplete",
            "The tenant is offboarded, and not all of it is erased yet. It goes on by itself; send"
                + " the same DELETE again for the report.",
            null,
            1_000,
            true));
  }

  private static HttpResponse json(String report) {
    return HttpResponse.create()
        .withEntity(
            HttpEntities.create(ContentTypes.APPLICATION_JSON, ByteString.fromString(report)));
  }
}
