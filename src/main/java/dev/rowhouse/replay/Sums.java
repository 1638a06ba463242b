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
  private long completed;
  private long cancelled;
  private long failed;
  private long unknown;
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
    switch (record.status()) {
      case COMPLETED -> completed += sign;
      case CANCELLED -> cancelled += sign;
      case FAILED -> failed += sign;
      case UNKNOWN -> unknown += sign;
    }
    inputTokens += sign * record.inputTokens();
    outputTokens += sign * record.outputTokens();
    costMicros += sign * record.costMicros();
  }

  Totals totals() {
    return new Totals(completed, cancelled, failed, unknown, inputTokens, outputTokens, costMicros);
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
