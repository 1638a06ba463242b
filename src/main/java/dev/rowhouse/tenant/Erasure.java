package dev.rowhouse.tenant;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.journal.Storage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The end of what a tenant left: counted, made unreadable, removed, reported.
 *
 * <pre>
 * asked -> counted (what there was is stored) -> key destroyed -> every target erased -> reported
 * </pre>
 *
 * Each step may be repeated, and the row in the table says how far it came, so whoever finds an
 * unfinished erasure goes on with it: the same DELETE again, or any node by itself. The report is
 * signed by the {@link SigningKey} and stored; asked again, the same one is given.
 */
public final class Erasure {
  /** Erasures that are taken up at once; others come at the next look. */
  private static final int RESUMED_MAX = 20;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ErasureTable table;
  private final DataKeys keys;
  private final SigningKey signing;
  private final List<ErasureTarget> targets;
  private final InstantSource clock;
  private final Executor blocking;
  private final Duration resumeEvery;

  /**
   * Makes its table where it is missing; blocks.
   *
   * @param resumeEvery how often somebody looks for unfinished ones
   */
  public Erasure(
      Storage storage,
      DataKeys keys,
      SigningKey signing,
      List<ErasureTarget> targets,
      InstantSource clock,
      Executor blocking,
      Duration resumeEvery) {
    this.table = ErasureTable.open(storage);
    this.keys = keys;
    this.signing = signing;
    this.targets = List.copyOf(targets);
    this.clock = clock;
    this.blocking = blocking;
    this.resumeEvery = resumeEvery;
  }

  public Duration resumeEvery() {
    return resumeEvery;
  }

  public SigningKey signing() {
    return signing;
  }

  /** An erasure that was asked for and has no report yet. */
  public record Unfinished(TenantId tenant, String requestId, String askedBy) {}

  public CompletionStage<List<Unfinished>> unfinished() {
    return CompletableFuture.supplyAsync(
        () ->
            table.unfinished(RESUMED_MAX).stream()
                .map(row -> new Unfinished(row.tenant(), row.requestId(), row.askedBy()))
                .toList(),
        blocking);
  }

  /** Notes the wish before anything is changed, and gives the report when there is one already. */
  public CompletionStage<java.util.Optional<String>> ask(
      TenantId tenant, String requestId, String askedBy) {
    return CompletableFuture.supplyAsync(
        () -> {
          table.ask(tenant, requestId, askedBy, clock.instant());
          ErasureTable.Entry row = table.find(tenant);
          return java.util.Optional.ofNullable(row == null ? null : row.report());
        },
        blocking);
  }

  /** There is nothing to erase after all. */
  public CompletionStage<?> withdraw(TenantId tenant, String requestId) {
    return CompletableFuture.runAsync(() -> table.withdraw(tenant, requestId), blocking);
  }

  /**
   * Goes on from wherever it is and gives the report. A stage that fails leaves it unfinished.
   *
   * @param ended what the record ended
   * @param kept what stays, by nouns; asked when all the rest is gone
   */
  public CompletionStage<String> finish(
      TenantReply.Offboarded ended, CompletionStage<Map<String, Long>> kept) {
    TenantId tenant = ended.tenant();
    return counted(ended)
        .thenApplyAsync(
            row -> {
              keys.destroy(tenant);
              return row;
            },
            blocking)
        .thenCompose(row -> eraseAll(tenant).thenApply(_ -> row))
        .thenCombine(kept, (row, what) -> new Ready(row, what))
        .thenApplyAsync(ready -> report(ended, ready.row(), ready.kept()), blocking);
  }

  private record Ready(ErasureTable.Entry row, Map<String, Long> kept) {}

  private CompletionStage<ErasureTable.Entry> counted(TenantReply.Offboarded ended) {
    TenantId tenant = ended.tenant();
    return CompletableFuture.supplyAsync(() -> row(tenant), blocking)
        .thenCompose(
            row -> {
              if (row.counts() != null) {
                return CompletableFuture.completedFuture(row);
              }
              CompletionStage<Map<String, Long>> all =
                  CompletableFuture.completedFuture(new TreeMap<>());
              for (ErasureTarget target : targets) {
                all = all.thenCombine(target.count(tenant), Erasure::with);
              }
              return all.thenApplyAsync(
                  counts -> {
                    counts.put("keys", (long) ended.keysRevoked());
                    counts.put("prompts", (long) ended.promptsErased());
                    counts.put("data_keys", keys.find(tenant) instanceof DataKeys.Held ? 1L : 0L);
                    table.counted(tenant, JSON.valueToTree(counts).toString());
                    return row(tenant);
                  },
                  blocking);
            });
  }

  private static Map<String, Long> with(Map<String, Long> all, Map<String, Long> more) {
    Map<String, Long> together = new TreeMap<>(all);
    together.putAll(more);
    return together;
  }

  private CompletionStage<?> eraseAll(TenantId tenant) {
    CompletionStage<?> all = CompletableFuture.completedFuture(tenant);
    for (ErasureTarget target : targets) {
      all = all.thenCompose(_ -> target.erase(tenant));
    }
    return all;
  }

  private ErasureTable.Entry row(TenantId tenant) {
    ErasureTable.Entry row = table.find(tenant);
    if (row == null) {
      throw new IllegalStateException("nobody asked for an erasure of " + tenant);
    }
    return row;
  }

  private String report(
      TenantReply.Offboarded ended, ErasureTable.Entry row, Map<String, Long> kept) {
    if (row.report() != null) {
      return row.report();
    }
    TenantId tenant = ended.tenant();
    ObjectNode report = JSON.createObjectNode();
    report
        .put("object", "erasure_report")
        .put("tenant", tenant.value())
        .put("status", "offboarded")
        .put("offboarded_at", ended.at().toString())
        .put("asked_at", row.askedAt().toString())
        .put("asked_by", row.askedBy())
        .put("request_id", row.requestId())
        .put("completed_at", clock.instant().toString());
    report.set("erased", tree(row.counts()));
    if (keys.find(tenant) instanceof DataKeys.Destroyed(int generation, var at)) {
      report.putObject("data_key").put("generation", generation).put("destroyed_at", at.toString());
    }
    ObjectNode stays = report.putObject("kept");
    stays
        .putObject("usage")
        .put("why", "Tokens are billed and audited; records hold no content, labels are sealed.")
        .setAll((ObjectNode) JSON.valueToTree(new TreeMap<>(kept)));
    stays
        .putObject("record")
        .put("why", "Times, plan and limits of the tenant; names, prompts and aliases are sealed.");
    byte[] payload = report.toString().getBytes(StandardCharsets.UTF_8);
    report
        .putObject("signature")
        .put("algorithm", "Ed25519")
        .put("key_id", signing.id())
        .put("public_key", signing.publicPem())
        .put("payload", Base64.getEncoder().encodeToString(payload))
        .put("value", Base64.getEncoder().encodeToString(signing.sign(payload)));
    table.done(tenant, report.toString(), clock.instant());
    String stored = row(tenant).report();
    return stored == null ? report.toString() : stored;
  }

  private static JsonNode tree(@Nullable String counts) {
    try {
      return JSON.readTree(counts == null ? "{}" : counts);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("counts of an erasure that are no JSON", e);
    }
  }
}
