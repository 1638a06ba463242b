package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.reporting.Sums;
import dev.rowhouse.reporting.UsageQuestion;
import dev.rowhouse.reporting.UsageQuestion.Split;
import dev.rowhouse.reporting.UsageQuestion.Width;
import dev.rowhouse.reporting.UsageReports;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.tenant.TenantDirectory;
import dev.rowhouse.usage.Csv;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /admin/usage}: what all tenants have used, from the query tables. It wakes no tenant
 * and says how far the tables are.
 */
final class UsageAdmin {
  private static final ContentType CSV = ContentTypes.parse("text/csv; charset=UTF-8");
  private static final int LIMIT_DEFAULT = 1_000;
  private static final long BUSY_RETRY_MILLIS = 1_000;
  private static final double MICROS = 1e6;

  private static final Map<String, Width> BUCKETS =
      Map.of("hour", Width.HOUR, "day", Width.DAY, "month", Width.MONTH);
  private static final Map<String, Split> GROUPS =
      Map.of(
          "tenant", Split.TENANT,
          "model", Split.MODEL,
          "key", Split.KEY,
          "answered_by", Split.ANSWERED_BY);
  private static final Set<String> PARAMETERS =
      Set.of(
          "tenant",
          "model",
          "answered_by",
          "key",
          "from",
          "to",
          "bucket",
          "group_by",
          "format",
          "after",
          "limit");

  private final UsageReports reports;
  private final TenantDirectory directory;
  private final InstantSource clock;

  UsageAdmin(UsageReports reports, TenantDirectory directory, InstantSource clock) {
    this.reports = reports;
    this.directory = directory;
    this.clock = clock;
  }

  CompletionStage<HttpResponse> usage(Call call) {
    QueryReader query = new QueryReader(call);
    query.onlyKnows(PARAMETERS);
    boolean csv = query.oneOf("format", Map.of("json", false, "csv", true), false);
    UsageQuestion question = question(query, call);
    Refusal refusal = query.refusal();
    if (refusal != null) {
      return CompletableFuture.completedFuture(Replies.problem(refusal));
    }
    return isKnown(directory, question.tenant())
        .thenCompose(
            known ->
                known
                    ? reports
                        .ask(question)
                        .thenApply(answer -> csv ? csv(question, answer) : json(question, answer))
                    : CompletableFuture.completedFuture(unknownTenant(question.tenant())))
        .exceptionally(UsageAdmin::failed);
  }

  private UsageQuestion question(QueryReader query, Call call) {
    Width bucket = query.oneOf("bucket", BUCKETS, Width.DAY);
    Split split = query.oneOf("group_by", GROUPS, Split.NOTHING);
    Instant to = query.time("to", clock.instant());
    Instant from = query.time("from", to.minus(rangeDefault(bucket)));
    query.range(from, to, bucket.name(), bucket.rangeMax(reports.settings()));
    String cursor = call.query("after");
    UsageQuestion.Cursor after = cursor == null ? null : UsageQuestion.Cursor.parse(cursor);
    if (cursor != null && after == null) {
      query.refuse("after", "after must be the last_id of the page before.");
    }
    int most = reports.settings().pageRowsMax();
    return new UsageQuestion(
        query.text("tenant"),
        query.text("model"),
        query.text("answered_by"),
        query.text("key"),
        from,
        to,
        bucket,
        split,
        after,
        query.whole("limit", Math.min(LIMIT_DEFAULT, most), most));
  }

  private static Duration rangeDefault(Width bucket) {
    return switch (bucket) {
      case HOUR -> Duration.ofDays(1);
      case DAY -> Duration.ofDays(31);
      case MONTH -> Duration.ofDays(366);
    };
  }

  static CompletionStage<Boolean> isKnown(TenantDirectory directory, @Nullable String tenant) {
    return tenant == null ? CompletableFuture.completedFuture(true) : directory.contains(tenant);
  }

  static HttpResponse unknownTenant(@Nullable String tenant) {
    return Replies.problem(
        Replies.badRequest("tenant", "There is no tenant '" + tenant + "', and there was none."));
  }

  private static HttpResponse failed(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof UsageReports.TooMany many) {
      return Replies.problem(Replies.badRequest("tenant", "There are " + many.getMessage() + "."));
    }
    return Replies.problem(
        cause instanceof UsageReports.Busy busy
            ? Refusal.until(503, "busy", busy.getMessage() + ". Ask again.", BUSY_RETRY_MILLIS)
            : Refusals.journalUnavailable(BUSY_RETRY_MILLIS));
  }

  private HttpResponse json(UsageQuestion question, UsageReports.Answer answer) {
    ObjectNode body =
        Json.object()
            .put("object", "usage")
            .put("from", question.from().toString())
            .put("to", question.to().toString())
            .put("bucket", word(question.bucket()));
    if (question.groupBy() != Split.NOTHING) {
      body.put("group_by", word(question.groupBy()));
    }
    body.put("as_of", answer.asOf().toString())
        .put(
            "behind_seconds",
            Math.max(0, Duration.between(answer.asOf(), clock.instant()).toMillis()) / 1_000.0)
        .put("tenants_in_doubt", answer.doubts());
    ArrayNode data = body.putArray("data");
    for (UsageReports.Row row : answer.rows()) {
      data.add(row(question.groupBy(), row));
    }
    if (answer.total() != null) {
      sums(body.putObject("total"), answer.total());
    }
    return Replies.json(
        200,
        body.put("has_more", answer.hasMore())
            .put("last_id", answer.rows().isEmpty() ? null : answer.rows().getLast().id()));
  }

  private static ObjectNode row(Split split, UsageReports.Row row) {
    ObjectNode one = Json.object().put("id", row.id()).put("start", row.start().toString());
    switch (split) {
      case NOTHING -> {}
      case TENANT, MODEL, ANSWERED_BY -> one.put(word(split), row.first());
      case KEY -> one.put("tenant", row.first()).put("key", row.second());
    }
    return sums(one, row.sums());
  }

  static ObjectNode sums(ObjectNode node, Sums sums) {
    return node.put("requests", sums.requests())
        .put("completed", sums.completed())
        .put("failed", sums.failed())
        .put("cancelled", sums.cancelled())
        .put("unknown", sums.unknown())
        .put("input_tokens", sums.inputTokens())
        .put("output_tokens", sums.outputTokens())
        .put("total_tokens", sums.tokens())
        .put("cost", sums.costMicros() / MICROS);
  }

  private static HttpResponse csv(UsageQuestion question, UsageReports.Answer answer) {
    StringBuilder text = new StringBuilder();
    line(
        text,
        row(question.groupBy(), new UsageReports.Row(Instant.EPOCH, "", "", Sums.NONE))
            .properties()
            .stream()
            .map(Map.Entry::getKey)
            .toList());
    for (UsageReports.Row row : answer.rows()) {
      line(
          text,
          row(question.groupBy(), row).properties().stream()
              .map(property -> property.getValue().asText())
              .toList());
    }
    HttpResponse response =
        Replies.text(200, CSV, text.toString())
            .addHeader(RawHeader.create("x-as-of", answer.asOf().toString()))
            .addHeader(RawHeader.create("x-tenants-in-doubt", Integer.toString(answer.doubts())));
    // The id of a row may hold what a header may not; the last row of the file has it too.
    return answer.hasMore() ? response.addHeader(RawHeader.create("x-has-more", "true")) : response;
  }

  private static void line(StringBuilder text, List<String> fields) {
    text.append(String.join(",", fields.stream().map(Csv::field).toList())).append("\r\n");
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
