package dev.rowhouse.usage;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The sums over all attempts of a tenant. */
public record Totals(
    @JsonProperty("c") long completed,
    @JsonProperty("x") long cancelled,
    @JsonProperty("f") long failed,
    @JsonProperty("u") long unknown,
    @JsonProperty("i") long inputTokens,
    @JsonProperty("o") long outputTokens,
    @JsonProperty("m") long costMicros) {
  public static final Totals NONE = new Totals(0, 0, 0, 0, 0, 0, 0);

  public long requests() {
    return completed + cancelled + failed + unknown;
  }

  public long tokens() {
    return inputTokens + outputTokens;
  }

  Totals plus(UsageRecord record) {
    return change(record, 1);
  }

  Totals minus(UsageRecord record) {
    return change(record, -1);
  }

  private Totals change(UsageRecord record, int sign) {
    UsageRecord.Status status = record.status();
    return new Totals(
        completed + (status == UsageRecord.Status.COMPLETED ? sign : 0),
        cancelled + (status == UsageRecord.Status.CANCELLED ? sign : 0),
        failed + (status == UsageRecord.Status.FAILED ? sign : 0),
        unknown + (status == UsageRecord.Status.UNKNOWN ? sign : 0),
        inputTokens + sign * record.inputTokens(),
        outputTokens + sign * record.outputTokens(),
        costMicros + sign * record.costMicros());
  }
}
