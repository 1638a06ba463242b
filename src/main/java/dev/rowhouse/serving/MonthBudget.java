package dev.rowhouse.serving;

import dev.rowhouse.tenant.Limits;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/**
 * What a tenant has used of its month, in tokens and money, and what requests in flight have
 * reserved of it. Money is in millionths of the price unit.
 */
final class MonthBudget {
  private YearMonth month = YearMonth.of(1970, 1);
  private long tokens;
  private long costMicros;
  private long reservedTokens;
  private long reservedCostMicros;

  void spend(long spentTokens, long spentCostMicros, long nowMillis) {
    roll(nowMillis);
    tokens += spentTokens;
    costMicros += spentCostMicros;
  }

  void reserve(long estimateTokens, long estimateCostMicros) {
    reservedTokens += estimateTokens;
    reservedCostMicros += estimateCostMicros;
  }

  void release(long estimateTokens, long estimateCostMicros) {
    reservedTokens -= estimateTokens;
    reservedCostMicros -= estimateCostMicros;
  }

  /** The no to a request that does not fit into what is left, or null. */
  @Nullable Refusal refusal(
      Limits limits, long estimateTokens, long estimateCostMicros, long nowMillis) {
    roll(nowMillis);
    long reset = millisUntilNext(nowMillis);
    Long tokenBudget = limits.tokensPerMonth();
    long used = tokens + reservedTokens;
    if (tokenBudget != null && used + estimateTokens > tokenBudget) {
      return exhausted(Refusals.limit("tokens_per_month", tokenBudget, used, reset), reset);
    }
    Double spendBudget = limits.spendPerMonth();
    long spent = costMicros + reservedCostMicros;
    if (spendBudget != null && spent + estimateCostMicros > spendBudget * 1e6) {
      return exhausted(
          "Limit spend_per_month reached: limit "
              + spendBudget
              + ", used "
              + spent / 1e6
              + ", "
              + Refusals.resetsIn(reset)
              + ".",
          reset);
    }
    return null;
  }

  LimitsView.@Nullable Row tokensRow(Limits limits, long nowMillis) {
    roll(nowMillis);
    Long budget = limits.tokensPerMonth();
    return budget == null
        ? null
        : new LimitsView.Row(budget, tokens + reservedTokens, millisUntilNext(nowMillis));
  }

  LimitsView.@Nullable Row spendRow(Limits limits, long nowMillis) {
    roll(nowMillis);
    Double budget = limits.spendPerMonth();
    return budget == null
        ? null
        : new LimitsView.Row(
            Math.round(budget * 1e6), costMicros + reservedCostMicros, millisUntilNext(nowMillis));
  }

  private static Refusal exhausted(String message, long resetMillis) {
    return new Refusal(429, "budget_exhausted", message, null, resetMillis, false);
  }

  private void roll(long nowMillis) {
    YearMonth now = YearMonth.from(Instant.ofEpochMilli(nowMillis).atZone(ZoneOffset.UTC));
    if (now.isAfter(month)) {
      month = now;
      tokens = 0;
      costMicros = 0;
    }
  }

  private long millisUntilNext(long nowMillis) {
    return month.plusMonths(1).atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli()
        - nowMillis;
  }
}
