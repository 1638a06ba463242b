package dev.rowhouse.serving;

import org.jspecify.annotations.Nullable;

/**
 * A tenant's limits and what is used of them, at one moment. Every limit that is enforced is here,
 * so that headers and {@code /v1/limits} say what admission does.
 */
public record LimitsView(
    Row requestsPerMinute,
    Row tokensPerMinute,
    Row concurrentRequests,
    Row queueLength,
    @Nullable Row tokensPerMonth,
    @Nullable Row spendPerMonthMicros) {

  /** These limits so much later, if nothing was used since. */
  LimitsView after(long millis) {
    return new LimitsView(
        requestsPerMinute.after(millis),
        tokensPerMinute.after(millis),
        concurrentRequests.after(millis),
        queueLength.after(millis),
        tokensPerMonth == null ? null : tokensPerMonth.after(millis),
        spendPerMonthMicros == null ? null : spendPerMonthMicros.after(millis));
  }

  /**
   * One limit.
   *
   * @param resetMillis until all of it is free again, if nothing more is used; 0: now, or not a
   *     matter of time
   */
  public record Row(long limit, long used, long resetMillis) {
    public long remaining() {
      return Math.max(0, limit - used);
    }

    private Row after(long millis) {
      return new Row(limit, used, Math.max(0, resetMillis - millis));
    }
  }
}
