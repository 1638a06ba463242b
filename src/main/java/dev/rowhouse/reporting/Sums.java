package dev.rowhouse.reporting;

import dev.rowhouse.usage.Totals;
import dev.rowhouse.usage.UsageRecord;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What some records add up to; cost in millionths of the unit of the price list. */
public record Sums(
    long completed,
    long cancelled,
    long failed,
    long unknown,
    long inputTokens,
    long outputTokens,
    long costMicros) {
  public static final Sums NONE = new Sums(0, 0, 0, 0, 0, 0, 0);

  /** The columns of every table, in this order. */
  static final String COLUMNS =
      "completed, cancelled, failed, unknown_count, input_tokens, output_tokens, cost_micros";

  static final String SUMMED =
      "sum(completed), sum(cancelled), sum(failed), sum(unknown_count), sum(input_tokens),"
          + " sum(output_tokens), sum(cost_micros)";

  static final int LENGTH = 7;

  static Sums of(UsageRecord record) {
    UsageRecord.Status status = record.status();
    return new Sums(
        status == UsageRecord.Status.COMPLETED ? 1 : 0,
        status == UsageRecord.Status.CANCELLED ? 1 : 0,
        status == UsageRecord.Status.FAILED ? 1 : 0,
        status == UsageRecord.Status.UNKNOWN ? 1 : 0,
        record.inputTokens(),
        record.outputTokens(),
        record.costMicros());
  }

  static Sums of(Totals totals) {
    return new Sums(
        totals.completed(),
        totals.cancelled(),
        totals.failed(),
        totals.unknown(),
        totals.inputTokens(),
        totals.outputTokens(),
        totals.costMicros());
  }

  /** Reads them from columns that stand in the order of {@link #COLUMNS}; no row is a zero. */
  static Sums read(ResultSet row, int first) throws SQLException {
    return new Sums(
        row.getLong(first),
        row.getLong(first + 1),
        row.getLong(first + 2),
        row.getLong(first + 3),
        row.getLong(first + 4),
        row.getLong(first + 5),
        row.getLong(first + 6));
  }

  /** The values of a row that has these between others, in the order of {@link #COLUMNS}. */
  @Nullable Object[] row(List<?> before, @Nullable Object... after) {
    List<@Nullable Object> values = new ArrayList<>(before);
    Collections.addAll(
        values, completed, cancelled, failed, unknown, inputTokens, outputTokens, costMicros);
    Collections.addAll(values, after);
    return values.toArray();
  }

  public long requests() {
    return completed + cancelled + failed + unknown;
  }

  public long tokens() {
    return inputTokens + outputTokens;
  }

  public Sums plus(Sums other) {
    return new Sums(
        completed + other.completed,
        cancelled + other.cancelled,
        failed + other.failed,
        unknown + other.unknown,
        inputTokens + other.inputTokens,
        outputTokens + other.outputTokens,
        costMicros + other.costMicros);
  }

  Sums negated() {
    return new Sums(
        -completed, -cancelled, -failed, -unknown, -inputTokens, -outputTokens, -costMicros);
  }
}
