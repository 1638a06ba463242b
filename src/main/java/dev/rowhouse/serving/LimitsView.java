package dev.rowhouse.serving;

import org.jspecify.annotations.Nullable;

/**
 * The limits that a request meets, and what is used of them, at one moment. Every limit that is
 * enforced is here, so that headers and {@code /v1/limits} say what admission does.
 *
 * @param tenant those of the tenant; only budgets may be absent
 * @param key those of the key that asks, as far as it has any
 */
public record LimitsView(Rows tenant, Row queueLength, String keyId, @Nullable Rows key) {

  /** The limits of one holder; what is absent is not limited. */
  public record Rows(
      @Nullable Row requestsPerMinute,
      @Nullable Row tokensPerMinute,
      @Nullable Row concurrentRequests,
      @Nullable Row tokensPerMonth,
      @Nullable Row spendPerMonthMicros) {

    private Rows after(long millis) {
      return new Rows(
          LimitsView.after(requestsPerMinute, millis),
          LimitsView.after(tokensPerMinute, millis),
          LimitsView.after(concurrentRequests, millis),
          LimitsView.after(tokensPerMonth, millis),
          LimitsView.after(spendPerMonthMicros, millis));
    }
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
  }

  /** Of the tenant's and the key's the row of which less is left. */
  public Row requestsPerMinute() {
    return tighter(tenant.requestsPerMinute(), key == null ? null : key.requestsPerMinute());
  }

  /** Of the tenant's and the key's the row of which less is left. */
  public Row tokensPerMinute() {
    return tighter(tenant.tokensPerMinute(), key == null ? null : key.tokensPerMinute());
  }

  /** Whether the tenant has anything in flight, which may end at any moment. */
  boolean hasInFlight() {
    Row concurrent = tenant.concurrentRequests();
    return concurrent != null && concurrent.used() > 0;
  }

  /** These limits so much later, if nothing was used since. */
  LimitsView after(long millis) {
    return new LimitsView(
        tenant.after(millis), queueLength, keyId, key == null ? null : key.after(millis));
  }

  private static Row tighter(@Nullable Row tenants, @Nullable Row keys) {
    if (tenants == null) {
      throw new IllegalStateException("a plan without a limit per minute");
    }
    return keys != null && keys.remaining() < tenants.remaining() ? keys : tenants;
  }

  private static @Nullable Row after(@Nullable Row row, long millis) {
    return row == null
        ? null
        : new Row(row.limit(), row.used(), Math.max(0, row.resetMillis() - millis));
  }
}
