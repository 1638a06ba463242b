package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Survey;
import dev.rowhouse.usage.UsageJournal;
import dev.rowhouse.usage.UsageRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/**
 * What the same requests cost by another price list, by tenant and model, each rounded as when it
 * was served. The lines are held until everything was read: a price that the list lacks is told
 * before any figure that would be wrong without it.
 */
final class PriceReplay {
  private static final int NAMED_MAX = 50;

  private final Replay replay;
  private final ReplayRequest.PriceAgain request;
  private final int linesMax;
  private final List<ObjectNode> lines = new ArrayList<>();
  private final TreeSet<String> lacking = new TreeSet<>();
  private long recordedMicros;
  private long pricedMicros;

  PriceReplay(Replay replay, ReplayRequest.PriceAgain request, int linesMax) {
    this.replay = replay;
    this.request = request;
    this.linesMax = linesMax;
  }

  /** What the records of one model came to. */
  private static final class Row {
    long requests;
    long inputTokens;
    long outputTokens;
    long recordedMicros;
    long pricedMicros;
    long kept;
  }

  /** One tenant's rows, by model. */
  private final class Rows implements UsageJournal.Tally {
    private final Map<String, Row> models = new TreeMap<>();

    @Override
    public void counted(UsageRecord record) {
      replay.progress.record();
      change(record, 1);
    }

    @Override
    public void taken(UsageRecord record) {
      change(record, -1);
    }

    private void change(UsageRecord record, int sign) {
      String model = PriceList.modelOf(record);
      Row row = models.get(model);
      if (row == null) {
        checkLines(models.size());
        row = new Row();
        models.put(model, row);
      }
      Long micros = request.prices().micros(record);
      row.requests += sign;
      row.inputTokens += sign * record.inputTokens();
      row.outputTokens += sign * record.outputTokens();
      row.recordedMicros += sign * record.costMicros();
      row.pricedMicros += sign * (micros == null ? record.costMicros() : micros);
      row.kept += micros == null ? sign : 0;
    }
  }

  private void checkLines(int more) {
    if (lines.size() + more >= linesMax) {
      throw new ReplayProblem(
          400,
          "too_many_lines",
          "tenants",
          "There are more than " + linesMax + " pairs of tenant and model; name fewer tenants.");
    }
  }

  /** Reads a tenant; its lines come later. */
  Source<ObjectNode, NotUsed> read(TenantId tenant) {
    Rows rows = new Rows();
    return replay.guarded(
        tenant,
        replay
            .journal
            .survey(tenant, request.scope().range(), null, rows)
            .mapConcat(
                survey -> {
                  add(survey, rows);
                  return List.<ObjectNode>of();
                }));
  }

  private void add(Survey survey, Rows rows) {
    replay.surveyed(survey);
    long recorded = 0;
    long priced = 0;
    for (Map.Entry<String, Row> one : rows.models.entrySet()) {
      Row row = one.getValue();
      if (row.requests == 0) {
        continue;
      }
      if (row.kept > 0) {
        lacking.add(one.getKey());
      }
      recorded += row.recordedMicros;
      priced += row.pricedMicros;
      ObjectNode line = Json.object();
      lines.add(line);
      ObjectNode result =
          line.putObject("result")
              .put("tenant", survey.tenant().value())
              .put("model", one.getKey())
              .put("requests", row.requests)
              .put("input_tokens", row.inputTokens)
              .put("output_tokens", row.outputTokens);
      cost(result, row.recordedMicros, row.pricedMicros);
      result.put("kept_recorded", row.kept);
    }
    ObjectNode line = Json.object();
    lines.add(line);
    ObjectNode total = line.putObject("result").put("tenant", survey.tenant().value());
    total.put("requests", survey.records());
    cost(total, recorded, priced);
    Json.faults(total, survey.faults());
    recordedMicros += recorded;
    pricedMicros += priced;
  }

  private static void cost(ObjectNode node, long recorded, long priced) {
    node.put("recorded_micros", recorded)
        .put("priced_micros", priced)
        .put("difference_micros", priced - recorded);
  }

  /** All lines, when everything was read. */
  Source<ObjectNode, NotUsed> lines() {
    return Source.lazySource(
            () -> {
              if (!lacking.isEmpty() && !request.keepRecorded()) {
                return Source.<ObjectNode>failed(lacking());
              }
              ObjectNode line = Json.object();
              ObjectNode total = line.putObject("total");
              cost(total, recordedMicros, pricedMicros);
              return Source.from(lines).concat(Source.single(line));
            })
        .mapMaterializedValue(ignored -> NotUsed.getInstance());
  }

  private ReplayProblem lacking() {
    String names =
        String.join(", ", lacking.stream().limit(NAMED_MAX).toList())
            + (lacking.size() > NAMED_MAX ? " and " + (lacking.size() - NAMED_MAX) + " more" : "");
    return new ReplayProblem(
        400,
        "price_missing",
        "prices.models",
        "The price list has no price for "
            + names
            + ", which records of these tenants and times name. Add it, or send \"missing\":"
            + " \"keep_recorded\" to keep what was charged.");
  }
}
