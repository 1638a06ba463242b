package dev.rowhouse.tenant;

import org.jspecify.annotations.Nullable;

/**
 * What a tenant may use. In a plan every field is set; in a tenant's own settings an absent field
 * means "as the plan says".
 *
 * @param requestsPerMinute requests admitted in a minute
 * @param tokensPerMinute input plus output tokens in a minute
 * @param concurrentRequests requests in flight, waiting ones included
 * @param tokensPerMonth input plus output tokens in a calendar month; absent in a plan: no limit
 * @param spendPerMonth money in a calendar month, in the unit of the price list; absent: no limit
 * @param queueLength requests that may wait for a capacity slot
 */
public record Limits(
    @Nullable Long requestsPerMinute,
    @Nullable Long tokensPerMinute,
    @Nullable Long concurrentRequests,
    @Nullable Long tokensPerMonth,
    @Nullable Double spendPerMonth,
    @Nullable Long queueLength) {

  public static final Limits UNSET = new Limits(null, null, null, null, null, null);

  /** These limits, with what they leave open taken from {@code fallback}. */
  public Limits orElse(Limits fallback) {
    return new Limits(
        first(requestsPerMinute, fallback.requestsPerMinute),
        first(tokensPerMinute, fallback.tokensPerMinute),
        first(concurrentRequests, fallback.concurrentRequests),
        first(tokensPerMonth, fallback.tokensPerMonth),
        first(spendPerMonth, fallback.spendPerMonth),
        first(queueLength, fallback.queueLength));
  }

  private static <T> @Nullable T first(@Nullable T mine, @Nullable T other) {
    return mine != null ? mine : other;
  }
}
