package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.Survey;
import dev.rowhouse.usage.TimeRange;
import dev.rowhouse.usage.Totals;
import dev.rowhouse.usage.UsageJournal;
import dev.rowhouse.usage.UsageLedger;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * Totals added up again from the records, beside those of the ledger. The ledger says first up to
 * which row of each segment its own are made, and exactly that is read.
 *
 * <p>A ledger keeps sums by whole minutes, hours and days, each for its time. A range that none of
 * them fits is added up and not compared.
 */
final class TotalsReplay {
  private static final int TRIES_MAX = 3;

  private final Replay replay;
  private final TimeRange range;
  private final UsageLedger.@Nullable Buckets buckets;

  TotalsReplay(Replay replay, TimeRange range, Instant now) {
    this.replay = replay;
    this.range = range;
    this.buckets = UsageJournal.bucketsOf(range, now);
  }

  Source<ObjectNode, NotUsed> lines(TenantId tenant) {
    return replay.guarded(tenant, compared(tenant, 1));
  }

  private Source<ObjectNode, NotUsed> compared(TenantId tenant, int tries) {
    return Source.lazyCompletionStage(() -> replay.house.cut(tenant, buckets))
        .mapMaterializedValue(ignored -> NotUsed.getInstance())
        .flatMapConcat(
            cut ->
                switch (cut) {
                  case LedgerReply.CutNow now -> compared(tenant, now, tries);
                  case LedgerReply.Away away -> read(tenant, null, away.reason());
                });
  }

  private Source<ObjectNode, NotUsed> compared(TenantId tenant, LedgerReply.CutNow cut, int tries) {
    // A ledger that compares copies of an attempt at this moment is asked again.
    if (!cut.settled() && tries < TRIES_MAX) {
      return compared(tenant, tries + 1);
    }
    return read(tenant, cut, "");
  }

  private Source<ObjectNode, NotUsed> read(
      TenantId tenant, LedgerReply.@Nullable CutNow cut, String away) {
    Sums sums = new Sums(replay.progress);
    Map<Long, Long> upTo = cut == null ? null : new TreeMap<>(cut.read());
    return replay
        .journal
        .survey(tenant, range, upTo, sums)
        .map(survey -> line(survey, sums.totals(), cut, away));
  }

  private ObjectNode line(
      Survey survey, Totals replayed, LedgerReply.@Nullable CutNow cut, String away) {
    replay.surveyed(survey);
    ObjectNode line = Json.object();
    ObjectNode result = line.putObject("result").put("tenant", survey.tenant().value());
    put(result, "from", range.from());
    put(result, "to", range.to());
    ObjectNode now = result.putObject("replayed");
    Sums.add(now, replayed);
    now.put("completed", replayed.completed())
        .put("cancelled", replayed.cancelled())
        .put("failed", replayed.failed())
        .put("unknown", replayed.unknown());
    result.put("copies_not_counted", survey.skipped().size());
    boolean isComparable = range.isAll() || buckets != null;
    if (cut == null || !isComparable) {
      result.putNull("equal");
      result.put("why", isComparable ? away : whyNot());
    } else {
      compare(result, survey, replayed, cut);
    }
    Json.faults(result, survey.faults());
    return line;
  }

  private void compare(ObjectNode result, Survey survey, Totals replayed, LedgerReply.CutNow cut) {
    Totals ledger = range.isAll() ? cut.totals() : Sums.of(cut.rows());
    ObjectNode node = result.putObject("ledger");
    node.put("figures", replay.house.ledger());
    Sums.add(node, ledger);
    ObjectNode difference = result.putObject("difference");
    difference
        .put("requests", replayed.requests() - ledger.requests())
        .put("input_tokens", replayed.inputTokens() - ledger.inputTokens())
        .put("output_tokens", replayed.outputTokens() - ledger.outputTokens())
        .put("cost_micros", replayed.costMicros() - ledger.costMicros());
    boolean equal =
        range.isAll()
            ? replayed.equals(ledger)
            : difference.valueStream().allMatch(one -> one.longValue() == 0);
    result.put("equal", equal);
    if (!equal) {
      replay.different(survey.tenant());
    }
  }

  private String whyNot() {
    return range.from() == null || range.to() == null
        ? "the ledger keeps no sums of a range with one end: give both, or neither"
        : "the ledger keeps sums of whole minutes for 2 days, whole hours for 90 days and whole"
            + " days: this range fits none of them";
  }

  private static void put(ObjectNode node, String field, @Nullable Instant time) {
    if (time != null) {
      node.put(field, time.toString());
    }
  }
}
