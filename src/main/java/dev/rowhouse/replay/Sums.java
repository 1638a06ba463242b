package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.usage.Totals;
import dev.rowhouse.usage.UsageJournal;
import dev.rowhouse.usage.UsageRecord;
import dev.rowhouse.usage.UsageRow;
import java.util.List;

/** Requests, tokens and cost, added up record by record. */
final class Sums implements UsageJournal.Tally {
  private final Progress progress;
  private final long[] byStatus = new long[UsageRecord.Status.values().length];
  private long inputTokens;
  private long outputTokens;
  private long costMicros;

  Sums(Progress progress) {
    this.progress = progress;
  }

  @Override
  public void counted(UsageRecord record) {
    progress.record();
    change(record, 1);
  }

  @Override
  public void taken(UsageRecord record) {
    change(record, -1);
  }

  private void change(UsageRecord record, int sign) {
    byStatus[record.status().ordinal()] += sign;
    inputTokens += sign * record.inputTokens();
    outputTokens += sign * record.outputTokens();
    costMicros += sign * record.costMicros();
  }

  Totals totals() {
    return new Totals(
        byStatus[UsageRecord.Status.COMPLETED.ordinal()],
        byStatus[UsageRecord.Status.CANCELLED.ordinal()],
        byStatus[UsageRecord.Status.FAILED.ordinal()],
        byStatus[UsageRecord.Status.UNKNOWN.ordinal()],
        inputTokens,
        outputTokens,
        costMicros);
  }

  /** The sums of buckets, which do not tell how requests ended. */
  static Totals of(List<UsageRow> rows) {
    return new Totals(
        rows.stream().mapToLong(UsageRow::requests).sum(),
        0,
        0,
        0,
        rows.stream().mapToLong(UsageRow::inputTokens).sum(),
        rows.stream().mapToLong(UsageRow::outputTokens).sum(),
        rows.stream().mapToLong(UsageRow::costMicros).sum());
  }

  static void add(ObjectNode node, Totals totals) {
    node.put("requests", totals.requests())
        .put("input_tokens", totals.inputTokens())
        .put("output_tokens", totals.outputTokens())
        .put("total_tokens", totals.tokens())
        .put("cost_micros", totals.costMicros());
  }
}
