package dev.rowhouse.serving;

import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.Limits;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What was used of a month, in tokens and money, and what requests in flight have reserved of it.
 * Money is in millionths of the price unit. Months begin and end in the tenant's time zone.
 */
final class MonthBudget {
  /** The parts of a budget, in percent, that are told when they are reached. */
  static final List<Integer> MARKS = List.of(80, 95);

  private ZoneId zone;
  private YearMonth month = YearMonth.of(1970, 1);
  private long tokens;
  private long costMicros;
  private long reservedTokens;
  private long reservedCostMicros;
  private final Set<BudgetMark> told = new HashSet<>();

  MonthBudget(ZoneId zone) {
    this.zone = zone;
  }

  /** In another time zone, with what was used in its present month; what is reserved stays. */
  void restart(ZoneId newZone, long usedTokens, long usedCostMicros, long nowMillis) {
    zone = newZone;
    month = monthOf(nowMillis);
    tokens = usedTokens;
    costMicros = usedCostMicros;
  }

  /** What a request cost that was admitted at that time; another month's is not this one's. */
  void spend(long spentTokens, long spentCostMicros, long admittedMillis, long nowMillis) {
    roll(nowMillis);
    if (monthOf(admittedMillis).equals(month)) {
      tokens += spentTokens;
      costMicros += spentCostMicros;
    }
  }

  void reserve(long estimateTokens, long estimateCostMicros, long admittedMillis, long nowMillis) {
    roll(nowMillis);
    if (monthOf(admittedMillis).equals(month)) {
      reservedTokens += estimateTokens;
      reservedCostMicros += estimateCostMicros;
    }
  }

  void release(long estimateTokens, long estimateCostMicros, long reservedMillis, long nowMillis) {
    roll(nowMillis);
    if (monthOf(reservedMillis).equals(month)) {
      reservedTokens -= estimateTokens;
      reservedCostMicros -= estimateCostMicros;
    }
  }

  /** The no to a request that does not fit into what is left, or null. */
  @Nullable Refusal refusal(
      Limits limits,
      @Nullable String key,
      long estimateTokens,
      long estimateCostMicros,
      long nowMillis) {
    roll(nowMillis);
    long reset = millisUntilNext(nowMillis);
    Long tokenBudget = limits.tokensPerMonth();
    long used = tokens + reservedTokens;
    if (tokenBudget != null && used + estimateTokens > tokenBudget) {
      return exhausted(
          Refusals.limit(Meter.named(BudgetMark.TOKENS, key), tokenBudget, used, reset), reset);
    }
    Double spendBudget = limits.spendPerMonth();
    long spent = costMicros + reservedCostMicros;
    if (spendBudget != null && spent + estimateCostMicros > spendBudget * 1e6) {
      return exhausted(
          "Limit "
              + Meter.named(BudgetMark.SPEND, key)
              + " reached: limit "
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

  /** The marks that what was used has reached, each once in a month for each budget. */
  List<BudgetMark> marks(Limits limits, @Nullable String key, long nowMillis) {
    Long tokenBudget = limits.tokensPerMonth();
    Double spendBudget = limits.spendPerMonth();
    if (tokenBudget == null && spendBudget == null) {
      return List.of();
    }
    roll(nowMillis);
    List<BudgetMark> reached = new ArrayList<>();
    for (int percent : MARKS) {
      if (tokenBudget != null && isReached(tokens, tokenBudget, percent)) {
        tell(
            new BudgetMark(BudgetMark.TOKENS, key, month.toString(), percent, tokenBudget),
            reached);
      }
      if (spendBudget != null) {
        long micros = Math.round(spendBudget * 1e6);
        if (isReached(costMicros, micros, percent)) {
          tell(new BudgetMark(BudgetMark.SPEND, key, month.toString(), percent, micros), reached);
        }
      }
    }
    return reached;
  }

  private void tell(BudgetMark mark, List<BudgetMark> reached) {
    if (told.add(mark)) {
      reached.add(mark);
    }
  }

  private static boolean isReached(long used, long budget, int percent) {
    return budget > 0 && used * 100.0 >= (double) budget * percent;
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
    YearMonth now = monthOf(nowMillis);
    if (now.isAfter(month)) {
      month = now;
      tokens = 0;
      costMicros = 0;
      reservedTokens = 0;
      reservedCostMicros = 0;
      told.clear();
    }
  }

  private YearMonth monthOf(long millis) {
    return YearMonth.from(Instant.ofEpochMilli(millis).atZone(zone));
  }

  private long millisUntilNext(long nowMillis) {
    return month.plusMonths(1).atDay(1).atStartOfDay(zone).toInstant().toEpochMilli() - nowMillis;
  }
}
