package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.audit.AuditChain;
import dev.rowhouse.audit.AuditDraft;
import dev.rowhouse.audit.AuditEntry;
import dev.rowhouse.audit.AuditHead;
import dev.rowhouse.audit.AuditLog;
import dev.rowhouse.audit.AuditQuery;
import dev.rowhouse.audit.AuditVerification;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.usage.Csv;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * {@code GET /admin/audit}: the log, by number. {@code POST /admin/audit/verify}: checks its chain
 * and those of the ledgers that it anchors, and tells as it goes, in JSON lines.
 */
final class AuditAdmin {
  private static final ContentType CSV = ContentTypes.parse("text/csv; charset=UTF-8");
  private static final ContentType JSON_LINES = ContentTypes.parse("application/x-ndjson");
  private static final int LIMIT_DEFAULT = 100;
  private static final int ANCHORS_PAGE = 500;

  private enum Format {
    JSON,
    CSV,
    JSONL
  }

  private static final Map<String, Format> FORMATS =
      Map.of("json", Format.JSON, "csv", Format.CSV, "jsonl", Format.JSONL);
  private static final Map<String, Optional<AuditDraft.Kind>> KINDS =
      Arrays.stream(AuditDraft.Kind.values())
          .collect(Collectors.toMap(kind -> kind.name().toLowerCase(Locale.ROOT), Optional::of));
  private static final Set<String> PARAMETERS =
      Set.of("from", "to", "action", "target", "kind", "after", "limit", "format");

  private final AuditLog log;
  private final LedgerChecks ledgers;

  /** Checks the chains of one ledger. */
  @FunctionalInterface
  interface LedgerChecks {
    /** The faults of a tenant's ledger, as JSON lines; none when it is intact. */
    CompletionStage<List<ObjectNode>> check(String tenant, Map<String, AuditHead> anchors);
  }

  AuditAdmin(AuditLog log, LedgerChecks ledgers) {
    this.log = log;
    this.ledgers = ledgers;
  }

  CompletionStage<HttpResponse> list(Call call) {
    QueryReader query = new QueryReader(call);
    query.onlyKnows(PARAMETERS);
    Format format = query.oneOf("format", FORMATS, Format.JSON);
    AuditDraft.Kind kind = query.oneOf("kind", KINDS, Optional.empty()).orElse(null);
    Instant from = call.query("from") == null ? null : query.time("from", Instant.EPOCH);
    Instant to = call.query("to") == null ? null : query.time("to", Instant.EPOCH);
    if (from != null && to != null && !from.isBefore(to)) {
      query.refuse("to", "'to' must be after 'from': " + to + " does not come after " + from + ".");
    }
    String after = call.query("after");
    if (after != null && !after.matches("[0-9]{1,18}")) {
      query.refuse("after", "after must be the number of an entry.");
    }
    int limit = query.whole("limit", LIMIT_DEFAULT, AuditQuery.LIMIT_MAX);
    String action = query.text("action");
    String target = query.text("target");
    Refusal refusal = query.refusal();
    if (refusal != null) {
      return CompletableFuture.completedFuture(Replies.problem(refusal));
    }
    return log.read(
            new AuditQuery(
                after == null ? 0 : Long.parseLong(after),
                limit + 1,
                from == null ? null : from.toEpochMilli(),
                to == null ? null : to.toEpochMilli(),
                action,
                target,
                kind))
        .handle(
            (entries, failure) ->
                entries == null
                    ? Replies.problem(Refusals.journalUnavailable(1_000))
                    : page(entries, limit, format));
  }

  private static HttpResponse page(List<AuditEntry> found, int limit, Format format) {
    boolean hasMore = found.size() > limit;
    List<AuditEntry> entries = hasMore ? found.subList(0, limit) : found;
    return switch (format) {
      case JSON -> {
        ObjectNode body = Json.object().put("object", "list");
        entries.forEach(entry -> body.withArray("data").add(json(entry)));
        body.withArray("data");
        yield Replies.json(
            200,
            body.put("has_more", hasMore)
                .put("last_id", entries.isEmpty() ? null : entries.getLast().sequence()));
      }
      case CSV -> Replies.text(200, CSV, csv(entries));
      case JSONL ->
          Replies.text(
              200,
              JSON_LINES,
              entries.stream().map(entry -> json(entry) + "\n").collect(Collectors.joining()));
    };
  }

  private static ObjectNode json(AuditEntry entry) {
    ObjectNode node =
        Json.object()
            .put("id", entry.sequence())
            .put("time", Instant.ofEpochMilli(entry.timeMillis()).toString())
            .put("kind", entry.kind().name().toLowerCase(Locale.ROOT))
            .put("request_id", entry.requestId())
            .put("actor", entry.actor())
            .put("remote", entry.remote())
            .put("action", entry.action())
            .put("target", entry.target());
    ObjectNode detail = node.putObject("detail");
    new TreeMap<>(entry.detail()).forEach(detail::put);
    return node.put("hash", entry.hash());
  }

  private static String csv(List<AuditEntry> entries) {
    StringBuilder text =
        new StringBuilder("id,time,kind,request_id,actor,remote,action,target,detail,hash\r\n");
    for (AuditEntry entry : entries) {
      List<String> fields = new ArrayList<>();
      for (var value : json(entry)) {
        fields.add(Csv.field(value.isValueNode() ? value.asText() : value.toString()));
      }
      text.append(String.join(",", fields)).append("\r\n");
    }
    return text.toString();
  }

  CompletionStage<HttpResponse> verify(Call call) {
    call.request().discardEntityBytes(call.materializer());
    AuditVerification verification = log.verification();
    Tally tally = new Tally();
    Source<ObjectNode, NotUsed> lines =
        Source.unfoldAsync(
                verification,
                open ->
                    open.next()
                        .thenApply(
                            more ->
                                more
                                    ? Optional.of(Pair.create(open, progress(open)))
                                    : Optional.<Pair<AuditVerification, ObjectNode>>empty()))
            .concatLazy(Source.lazySource(() -> Source.from(tally.log(verification.report()))))
            .concatLazy(Source.lazySource(() -> ledgers(tally)))
            .concatLazy(Source.lazySingle(tally::end));
    return CompletableFuture.completedFuture(
        HttpResponse.create()
            .withEntity(
                HttpEntities.create(
                    JSON_LINES,
                    lines.map(line -> Json.bytes(line).concat(ByteString.fromString("\n"))))));
  }

  private static ObjectNode progress(AuditVerification verification) {
    return Json.object().put("type", "progress").put("entries", verification.entries());
  }

  /** The anchors come by persistence id, so those of a tenant stand together. */
  private Source<ObjectNode, NotUsed> ledgers(Tally tally) {
    return Source.unfoldAsync(
            "",
            after ->
                log.anchors(after, ANCHORS_PAGE)
                    .thenApply(
                        page ->
                            page.isEmpty()
                                ? Optional.<Pair<String, List<Map.Entry<String, AuditHead>>>>empty()
                                : Optional.of(
                                    Pair.create(
                                        new TreeMap<>(page).lastKey(),
                                        List.copyOf(new TreeMap<>(page).entrySet())))))
        .mapConcat(page -> page)
        .concat(Source.single(Map.entry("", new AuditHead(0, ""))))
        .statefulMapConcat(OneTenant::new)
        .mapAsync(
            1,
            anchors ->
                ledgers
                    .check(tenant(anchors.firstKey()), anchors)
                    .handle((faults, failure) -> tally.ledger(anchors, faults, failure)))
        .mapConcat(found -> found);
  }

  private static String tenant(String persistenceId) {
    String[] parts = persistenceId.split("\\|", -1);
    return parts.length > 1 ? parts[1] : "";
  }

  /** Gathers what belongs to one tenant; an empty name ends the last one. */
  private static final class OneTenant
      implements org.apache.pekko.japi.function.Function<
          Map.Entry<String, AuditHead>, Iterable<SortedMap<String, AuditHead>>> {
    private static final long serialVersionUID = 1L;

    private SortedMap<String, AuditHead> gathered = new TreeMap<>();

    @Override
    public Iterable<SortedMap<String, AuditHead>> apply(Map.Entry<String, AuditHead> anchor) {
      List<SortedMap<String, AuditHead>> done = List.of();
      if (!gathered.isEmpty() && !tenant(gathered.firstKey()).equals(tenant(anchor.getKey()))) {
        done = List.of(gathered);
        gathered = new TreeMap<>();
      }
      gathered.put(anchor.getKey(), anchor.getValue());
      return done;
    }
  }

  /** What was found so far. */
  private static final class Tally {
    private long entries;
    private long faults;
    private long ledgers;
    private long anchors;
    private AuditHead head = new AuditHead(0, "");

    List<ObjectNode> log(AuditVerification.Report report) {
      entries = report.entries();
      head = report.head();
      faults += report.faults().size();
      List<ObjectNode> lines = new ArrayList<>();
      for (AuditChain.Fault fault : report.faults()) {
        lines.add(
            Json.object()
                .put("type", "fault")
                .put("log", "audit")
                .put("kind", fault.kind().name().toLowerCase(Locale.ROOT))
                .put("entry", fault.sequence())
                .put("expected", fault.expected())
                .put("found", fault.found())
                .put("remedy", fault.remedy()));
      }
      AuditHead file = report.file();
      lines.add(
          Json.object()
              .put("type", "audit")
              .put("entries", entries)
              .put("begins_after", report.base())
              .put("head_file", file == null ? null : file.sequence())
              .put("intact", report.faults().isEmpty()));
      return lines;
    }

    List<ObjectNode> ledger(
        Map<String, AuditHead> checked,
        @org.jspecify.annotations.Nullable List<ObjectNode> found,
        @org.jspecify.annotations.Nullable Throwable failure) {
      ledgers++;
      anchors += checked.size();
      if (found != null) {
        faults += found.size();
        return found;
      }
      faults++;
      return List.of(
          Json.object()
              .put("type", "fault")
              .put("log", "usage")
              .put("kind", "unreadable")
              .put("tenant", tenant(checked.keySet().iterator().next()))
              .put("found", String.valueOf(failure)));
    }

    ObjectNode end() {
      return Json.object()
          .put("type", "done")
          .put("intact", faults == 0)
          .put("faults", faults)
          .put("entries", entries)
          .put("ledgers", ledgers)
          .put("anchors", anchors)
          .put("head", head.sequence())
          .put("head_hash", head.hash());
    }
  }
}
