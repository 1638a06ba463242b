package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.reporting.Reconciliation;
import dev.rowhouse.reporting.Reconciliation.Difference;
import dev.rowhouse.reporting.Reconciliation.Outcome;
import dev.rowhouse.reporting.Sums;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.tenant.TenantDirectory;
import dev.rowhouse.tenant.TenantId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /admin/reconcile?tenant=&after=&repair=}: compares tenant by tenant and answers in
 * JSON lines as it goes: a line for each figure that differs, one for each tenant that could not be
 * read, one of progress every hundred tenants, and a last one. Who is cut off goes on after the
 * tenant of the last progress line.
 */
final class ReconcileAdmin {
  private static final ContentType JSON_LINES = ContentTypes.parse("application/x-ndjson");
  private static final Set<String> PARAMETERS = Set.of("tenant", "after", "repair");
  private static final int PAGE = 100;

  private final Reconciliation reconciliation;
  private final TenantDirectory directory;

  /** One at a time on a node: it reads whole ledgers. */
  private final AtomicBoolean running = new AtomicBoolean();

  ReconcileAdmin(Reconciliation reconciliation, TenantDirectory directory) {
    this.reconciliation = reconciliation;
    this.directory = directory;
  }

  CompletionStage<HttpResponse> reconcile(Call call) {
    call.request().discardEntityBytes(call.materializer());
    QueryReader query = new QueryReader(call);
    query.onlyKnows(PARAMETERS);
    boolean repair = query.flag("repair", true);
    String tenant = query.text("tenant");
    String after = query.text("after");
    if (after != null && !TenantId.isValid(after)) {
      query.refuse("after", "after must be a tenant's id.");
    }
    Refusal refusal = query.refusal();
    if (refusal != null) {
      return CompletableFuture.completedFuture(Replies.problem(refusal));
    }
    return UsageAdmin.isKnown(directory, tenant)
        .thenApply(
            known -> {
              if (!known) {
                return UsageAdmin.unknownTenant(tenant);
              }
              if (running.get()) {
                return Replies.problem(
                    Refusal.of(
                        409,
                        "reconcile_running",
                        "This node is at it already; wait for the other answer to end."));
              }
              Source<TenantId, NotUsed> tenants =
                  tenant == null ? all(after) : Source.single(new TenantId(tenant));
              return HttpResponse.create()
                  .withEntity(
                      HttpEntities.create(
                          JSON_LINES, Source.lazySource(() -> begin(tenants, repair))));
            });
  }

  private Source<TenantId, NotUsed> all(@Nullable String after) {
    return Source.unfoldAsync(
            Optional.ofNullable(after),
            last ->
                reconciliation
                    .tenants(last.orElse(null), PAGE)
                    .thenApply(
                        found ->
                            found.isEmpty()
                                ? Optional.<Pair<Optional<String>, List<TenantId>>>empty()
                                : Optional.of(
                                    Pair.create(Optional.of(found.getLast().value()), found))))
        .mapConcat(found -> found);
  }

  /** Called when the answer is sent: who has left before that holds nothing up. */
  private Source<ByteString, NotUsed> begin(Source<TenantId, NotUsed> tenants, boolean repair) {
    if (!running.compareAndSet(false, true)) {
      throw new IllegalStateException("two reconciliations began at the same moment");
    }
    return lines(tenants, repair);
  }

  private Source<ByteString, NotUsed> lines(Source<TenantId, NotUsed> tenants, boolean repair) {
    Progress progress = new Progress();
    return tenants
        .mapAsync(
            1,
            tenant ->
                reconciliation
                    .check(tenant, repair)
                    .handle(
                        (outcome, failure) ->
                            outcome == null
                                ? progress.failed(tenant, failure)
                                : progress.done(outcome)))
        .mapConcat(lines -> lines)
        .concatLazy(Source.lazySingle(progress::end))
        .map(line -> Json.bytes(line).concat(ByteString.fromString("\n")))
        .watchTermination(
            (notUsed, done) -> {
              done.whenComplete((ok, failure) -> running.set(false));
              return notUsed;
            });
  }

  /** What was done so far; one tenant comes after another. */
  private static final class Progress {
    private long tenants;
    private long differing;
    private long repaired;
    private long failures;
    private Sums total = Sums.NONE;

    List<ObjectNode> done(Outcome outcome) {
      List<ObjectNode> lines = new ArrayList<>();
      for (Difference difference : outcome.differences()) {
        lines.add(line(outcome, difference));
      }
      differing += outcome.differences().isEmpty() ? 0 : 1;
      repaired += outcome.repaired() ? 1 : 0;
      total = total.plus(outcome.total());
      return counted(outcome.tenant(), lines);
    }

    List<ObjectNode> failed(TenantId tenant, Throwable failure) {
      failures++;
      Throwable cause = failure.getCause() == null ? failure : failure.getCause();
      List<ObjectNode> lines = new ArrayList<>();
      lines.add(
          Json.object()
              .put("type", "failure")
              .put("tenant", tenant.value())
              .put("message", String.valueOf(cause.getMessage())));
      return counted(tenant, lines);
    }

    private List<ObjectNode> counted(TenantId last, List<ObjectNode> lines) {
      tenants++;
      if (tenants % PAGE == 0) {
        lines.add(sums("progress").put("last", last.value()));
      }
      return lines;
    }

    ObjectNode end() {
      ObjectNode line = sums("done");
      UsageAdmin.sums(line.putObject("total"), total);
      return line;
    }

    private ObjectNode sums(String type) {
      return Json.object()
          .put("type", type)
          .put("tenants", tenants)
          .put("differing", differing)
          .put("repaired", repaired)
          .put("failures", failures);
    }

    private static ObjectNode line(Outcome outcome, Difference difference) {
      ObjectNode line =
          Json.object()
              .put("type", "difference")
              .put("tenant", difference.tenant().value())
              .put("kind", difference.kind().name().toLowerCase(Locale.ROOT))
              .put("persistence_id", difference.persistenceId());
      UsageAdmin.sums(line.putObject("expected"), difference.expected());
      UsageAdmin.sums(line.putObject("found"), difference.found());
      return line.put("doubt", outcome.doubt()).put("repaired", outcome.repaired());
    }
  }
}
