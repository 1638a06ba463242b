package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.LimitsView;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.usage.Bucket;
import dev.rowhouse.usage.Csv;
import dev.rowhouse.usage.GroupBy;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import dev.rowhouse.usage.UsageRecord;
import dev.rowhouse.usage.UsageRow;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.jspecify.annotations.Nullable;

/**
 * What a tenant has used, from its ledger: {@code /v1/usage}, {@code /v1/usage/records} (JSON or
 * CSV) and {@code /v1/requests}.
 */
final class UsageRoutes {
  private static final ContentType CSV = ContentTypes.parse("text/csv; charset=UTF-8");
  private static final int RECORDS_DEFAULT = 100;
  private static final int RECORDS_MAX = 1_000;
  private static final Duration RANGE_DEFAULT = Duration.ofDays(1);

  private final TenantPort tenants;
  private final InstantSource clock;

  UsageRoutes(TenantPort tenants, InstantSource clock) {
    this.tenants = tenants;
    this.clock = clock;
  }

  /** {@code GET /v1/usage?from=&to=&bucket=minute|hour|day&group_by=model|key}. */
  CompletionStage<HttpResponse> usage(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    Bucket bucket;
    GroupBy group;
    Instant to;
    Instant from;
    String field = "bucket";
    try {
      bucket = Bucket.valueOf(orElse(call.query("bucket"), "hour").toUpperCase(Locale.ROOT));
      field = "group_by";
      String by = call.query("group_by");
      group = by == null ? GroupBy.NOTHING : GroupBy.valueOf(by.toUpperCase(Locale.ROOT));
      field = "to";
      to = time(call.query("to"), clock.instant());
      field = "from";
      from = time(call.query("from"), to.minus(RANGE_DEFAULT));
    } catch (IllegalArgumentException | DateTimeParseException e) {
      return bad(
          field,
          switch (field) {
            case "bucket" -> "bucket must be minute, hour or day.";
            case "group_by" -> "group_by must be model or key.";
            default ->
                field + " must be a time such as 2026-01-31T00:00:00Z, or seconds since 1970.";
          });
    }
    if (group == GroupBy.NOTHING && call.query("group_by") != null) {
      return bad("group_by", "group_by must be model or key.");
    }
    return this.<LedgerReply.Usage>query(
            caller.tenant(), ref -> new UsageLedger.GetUsage(from, to, bucket, group, ref))
        .thenApply(
            reply ->
                switch (reply) {
                  case LedgerReply.UsageRows rows ->
                      Replies.json(200, usage(rows.rows(), bucket, group, from, to));
                  case LedgerReply.UsageRefused refused ->
                      error(Replies.badRequest(refused.parameter(), refused.reason()));
                  case LedgerReply.Away _ -> error(away());
                })
        .exceptionally(failure -> error(Refusals.journalUnavailable(1_000)));
  }

  /** {@code GET /v1/usage/records?limit=&after=}: every record once, oldest first. */
  CompletionStage<HttpResponse> records(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    int limit;
    try {
      limit = Integer.parseInt(orElse(call.query("limit"), Integer.toString(RECORDS_DEFAULT)));
    } catch (NumberFormatException e) {
      return bad("limit", "limit must be a whole number.");
    }
    if (limit < 1 || limit > RECORDS_MAX) {
      return bad("limit", "limit must be between 1 and " + RECORDS_MAX + ".");
    }
    boolean csv = "csv".equals(call.query("format")) || wantsCsv(call);
    return this.<LedgerReply.Records>query(
            caller.tenant(), ref -> new UsageLedger.ReadRecords(call.query("after"), limit, ref))
        .thenApply(
            reply ->
                switch (reply) {
                  case LedgerReply.RecordsPage page ->
                      csv ? csv(page) : Replies.json(200, records(page));
                  case LedgerReply.RecordsRefused refused ->
                      error(Replies.badRequest(refused.parameter(), refused.reason()));
                  case LedgerReply.Away _ -> error(away());
                })
        .exceptionally(failure -> error(Refusals.journalUnavailable(1_000)));
  }

  /** {@code GET /v1/requests?limit=&after=}: the request log, in the order of the journal. */
  CompletionStage<HttpResponse> requests(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return records(call, caller, profile, limits);
  }

  /** {@code GET /v1/requests/{id}}: one request of this tenant by its attempt id. */
  CompletionStage<HttpResponse> request(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    String id = call.segments().getLast();
    return this.<LedgerReply.Find>query(caller.tenant(), ref -> new UsageLedger.FindRecord(id, ref))
        .thenApply(
            reply ->
                switch (reply) {
                  case LedgerReply.Found found ->
                      Replies.json(200, record(found.record().attempt(), found.record()));
                  case LedgerReply.StillOpen open ->
                      Replies.json(
                          200,
                          Json.object()
                              .put("id", id)
                              .put("request_id", id)
                              .put(
                                  "time",
                                  Instant.ofEpochMilli(open.start().timeMillis()).toString())
                              .put("key", open.start().keyId())
                              .put("model", open.start().model())
                              .put("status", "running"));
                  case LedgerReply.NoRecord _ ->
                      error(Replies.notFound("There is no request '" + id + "'."));
                  case LedgerReply.Away _ -> error(away());
                })
        .exceptionally(failure -> error(Refusals.journalUnavailable(1_000)));
  }

  /** {@code GET /v1/limits}: each limit, used, remaining, reset. */
  CompletionStage<HttpResponse> limits(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return CompletableFuture.completedFuture(
        Replies.json(200, LimitsJson.of(profile, limits)).addHeaders(Replies.limitHeaders(limits)));
  }

  private <R> CompletionStage<R> query(
      TenantId tenant,
      java.util.function.Function<org.apache.pekko.actor.typed.ActorRef<R>, UsageLedger.Query>
          query) {
    return tenants.<R>ask(tenant, replyTo -> new TenantEntity.QueryLedger(query.apply(replyTo)));
  }

  private static ObjectNode usage(
      List<UsageRow> rows, Bucket bucket, GroupBy group, Instant from, Instant to) {
    ObjectNode body =
        Json.object()
            .put("object", "usage")
            .put("from", from.toString())
            .put("to", to.toString())
            .put("bucket", bucket.name().toLowerCase(Locale.ROOT));
    if (group != GroupBy.NOTHING) {
      body.put("group_by", group.name().toLowerCase(Locale.ROOT));
    }
    long requests = 0;
    long input = 0;
    long output = 0;
    long cost = 0;
    ArrayNode data = body.putArray("data");
    for (UsageRow row : rows) {
      ObjectNode one = data.addObject().put("start", row.start().toString());
      if (row.group() != null) {
        one.put(group.name().toLowerCase(Locale.ROOT), row.group());
      }
      sums(one, row.requests(), row.inputTokens(), row.outputTokens(), row.costMicros());
      requests += row.requests();
      input += row.inputTokens();
      output += row.outputTokens();
      cost += row.costMicros();
    }
    sums(body.putObject("total"), requests, input, output, cost);
    return body;
  }

  private static void sums(ObjectNode node, long requests, long input, long output, long cost) {
    node.put("requests", requests)
        .put("input_tokens", input)
        .put("output_tokens", output)
        .put("total_tokens", input + output)
        .put("cost", cost / 1e6);
  }

  private static ObjectNode records(LedgerReply.RecordsPage page) {
    ObjectNode body = Json.object().put("object", "list");
    ArrayNode data = body.putArray("data");
    for (LedgerReply.RecordRow row : page.records()) {
      data.add(record(row.id(), row.record()));
    }
    return body.put("has_more", page.hasMore()).put("last_id", page.lastId());
  }

  private static ObjectNode record(String id, UsageRecord record) {
    return Json.object()
        .put("id", id)
        .put("request_id", record.attempt())
        .put("time", Instant.ofEpochMilli(record.timeMillis()).toString())
        .put("key", record.keyId())
        .put("model", record.modelAsked())
        .put("answered_by", record.answeredBy())
        .put("input_tokens", record.inputTokens())
        .put("output_tokens", record.outputTokens())
        .put("status", record.status().name().toLowerCase(Locale.ROOT))
        .put("http_status", record.httpStatus())
        .put("error_code", record.errorCode())
        .put("stream", record.stream())
        .put("estimated", record.estimated())
        .put("latency_ms", record.latencyMillis())
        .put("time_to_first_token_ms", record.timeToFirstTokenMillis())
        .put("queue_ms", record.queueMillis())
        .put("cache", record.cache())
        .put("cost", record.costMicros() / 1e6)
        .put("client_request_id", record.label());
  }

  private static HttpResponse csv(LedgerReply.RecordsPage page) {
    StringBuilder text =
        new StringBuilder(
            "id,request_id,time,key,model,answered_by,input_tokens,output_tokens,status,"
                + "http_status,error_code,stream,estimated,latency_ms,time_to_first_token_ms,"
                + "queue_ms,cache,cost,client_request_id\r\n");
    for (LedgerReply.RecordRow row : page.records()) {
      boolean first = true;
      for (var value : record(row.id(), row.record())) {
        text.append(first ? "" : ",").append(Csv.field(value.isNull() ? "" : value.asText()));
        first = false;
      }
      text.append("\r\n");
    }
    HttpResponse response = Replies.text(200, CSV, text.toString());
    String lastId = page.lastId();
    return page.hasMore() && lastId != null
        ? response.addHeader(
            org.apache.pekko.http.javadsl.model.headers.RawHeader.create("x-last-id", lastId))
        : response;
  }

  /** Only an explicit wish: SDKs send Accept: application/json whatever they ask for. */
  private static boolean wantsCsv(Call call) {
    String accept = call.header("Accept");
    return accept != null && accept.toLowerCase(Locale.ROOT).startsWith("text/csv");
  }

  private static Instant time(@Nullable String text, Instant otherwise) {
    if (text == null) {
      return otherwise;
    }
    return text.matches("[0-9]{1,11}")
        ? Instant.ofEpochSecond(Long.parseLong(text))
        : Instant.parse(text);
  }

  private static String orElse(@Nullable String text, String otherwise) {
    return text == null ? otherwise : text;
  }

  private static Refusal away() {
    return Refusals.journalUnavailable(1_000);
  }

  private static HttpResponse error(Refusal refusal) {
    return Replies.openAiError(refusal);
  }

  private static CompletionStage<HttpResponse> bad(String field, String message) {
    return CompletableFuture.completedFuture(error(Replies.badRequest(field, message)));
  }
}
