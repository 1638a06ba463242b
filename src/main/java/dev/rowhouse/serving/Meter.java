package dev.rowhouse.serving;

import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.usage.MonthUse;
import dev.rowhouse.usage.SecondUse;
import dev.rowhouse.usage.UsageRecord;
import java.time.ZoneId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one holder of limits has used, and what its requests in flight have reserved: the tenant, or
 * one of its keys. A limit that is absent is not checked.
 *
 * <p>What a request may cost is held when it is admitted, and what it did cost takes the place of
 * that when it ends, in the second in which it was held. So used and held together never pass a
 * limit by more than what requests in flight cost above their estimates.
 */
final class Meter {
  private final SlidingWindow requests = new SlidingWindow();
  private final SlidingWindow tokens = new SlidingWindow();
  private final MonthBudget budget;
  private final @Nullable String name;
  private int inFlight;

  /**
   * Nothing is used.
   *
   * @param name of the key's meter; absent: it is the tenant's
   * @param zone in which months begin and end
   */
  Meter(@Nullable String name, ZoneId zone) {
    this.name = name;
    this.budget = new MonthBudget(zone);
  }

  /** What a request in flight holds of a meter. */
  final class Hold {
    private final long sinceMillis;
    private final long second;
    private final long heldTokens;
    private final long heldCostMicros;
    private boolean isOver;

    private Hold(long sinceMillis, long second, long heldTokens, long heldCostMicros) {
      this.sinceMillis = sinceMillis;
      this.second = second;
      this.heldTokens = heldTokens;
      this.heldCostMicros = heldCostMicros;
    }

    /** The request is over and has cost that; said again it changes nothing. */
    void settle(long spentTokens, long costMicros, long nowMillis) {
      if (isOver) {
        return;
      }
      isOver = true;
      inFlight--;
      tokens.correct(second, spentTokens - heldTokens, nowMillis);
      budget.release(heldTokens, heldCostMicros, sinceMillis, nowMillis);
      budget.spend(spentTokens, costMicros, sinceMillis, nowMillis);
    }

    /** The request was not admitted after all: it does not even count as one. */
    void withdraw(long nowMillis) {
      if (!isOver) {
        settle(0, 0, nowMillis);
        requests.correct(second, -1, nowMillis);
      }
    }
  }

  /** Continues from what the ledger knows, second by second. */
  void restore(List<SecondUse> lastMinute, MonthUse month, long nowMillis) {
    for (SecondUse use : lastMinute) {
      requests.restore(use.second(), use.requests(), nowMillis);
      tokens.restore(use.second(), use.tokens(), nowMillis);
    }
    budget.spend(month.tokens(), month.costMicros(), nowMillis, nowMillis);
  }

  /**
   * The month's sums anew, in another time zone; what is held stays held.
   *
   * @param used what the ledger knows
   * @param unwritten records that it does not know yet
   */
  void restoreMonth(ZoneId zone, List<MonthUse> used, List<UsageRecord> unwritten, long nowMillis) {
    budget.restart(
        zone,
        used.stream().mapToLong(MonthUse::tokens).sum(),
        used.stream().mapToLong(MonthUse::costMicros).sum(),
        nowMillis);
    unwritten.forEach(it -> budget.spend(it.tokens(), it.costMicros(), it.timeMillis(), nowMillis));
  }

  /** What a request cost that this meter has never admitted, as after a restart. */
  void spend(long spentTokens, long costMicros, long admittedMillis, long nowMillis) {
    tokens.restore(Math.floorDiv(admittedMillis, 1000), spentTokens, nowMillis);
    budget.spend(spentTokens, costMicros, admittedMillis, nowMillis);
  }

  Hold hold(long estimateTokens, long estimateCostMicros, long nowMillis) {
    requests.add(1, nowMillis);
    long second = tokens.add(estimateTokens, nowMillis);
    inFlight++;
    budget.reserve(estimateTokens, estimateCostMicros, nowMillis, nowMillis);
    return new Hold(nowMillis, second, estimateTokens, estimateCostMicros);
  }

  /** For a request that an earlier meter has admitted, at that time. */
  Hold adopt(long estimateTokens, long estimateCostMicros, long admittedMillis, long nowMillis) {
    long second = Math.floorDiv(admittedMillis, 1000);
    requests.restore(second, 1, nowMillis);
    tokens.restore(second, estimateTokens, nowMillis);
    inFlight++;
    budget.reserve(estimateTokens, estimateCostMicros, admittedMillis, nowMillis);
    return new Hold(admittedMillis, second, estimateTokens, estimateCostMicros);
  }

  /**
   * The no to a request that would pass one of these limits, or null.
   *
   * @param key whose limits they are, for the words; absent: the tenant's
   */
  @Nullable Refusal refusal(
      Limits limits, @Nullable String key, long estimate, long costMicros, long nowMillis) {
    Long concurrent = limits.concurrentRequests();
    if (concurrent != null && inFlight >= concurrent) {
      return Refusal.until(
          429,
          "concurrency_exceeded",
          Refusals.limit(
              named("concurrent_requests", key), concurrent, inFlight, Refusals.QUEUE_RETRY_MILLIS),
          Refusals.QUEUE_RETRY_MILLIS);
    }
    Long perMinute = limits.requestsPerMinute();
    long wait = perMinute == null ? 0 : requests.millisUntilFits(1, perMinute, nowMillis);
    if (perMinute != null && wait > 0) {
      return Refusal.until(
          429,
          "rate_limit_exceeded",
          Refusals.limit(
              named("requests_per_minute", key), perMinute, requests.used(nowMillis), wait),
          wait);
    }
    Long tokensPerMinute = limits.tokensPerMinute();
    wait =
        tokensPerMinute == null ? 0 : tokens.millisUntilFits(estimate, tokensPerMinute, nowMillis);
    if (tokensPerMinute != null && wait > 0) {
      String message =
          Refusals.limit(
                  named("tokens_per_minute", key), tokensPerMinute, tokens.used(nowMillis), wait)
              + " This request needs about "
              + estimate
              + " tokens.";
      return estimate > tokensPerMinute
          ? Refusal.of(429, "tokens_exceeded", message + " It can never fit: make it smaller.")
          : Refusal.until(429, "tokens_exceeded", message, wait);
    }
    return budget.refusal(limits, key, estimate, costMicros, nowMillis);
  }

  /** Parts of budgets that were reached since this was asked last. */
  List<BudgetMark> marks(Limits limits, long nowMillis) {
    return budget.marks(limits, name, nowMillis);
  }

  LimitsView.Rows rows(Limits limits, long nowMillis) {
    return new LimitsView.Rows(
        row(limits.requestsPerMinute(), requests, nowMillis),
        row(limits.tokensPerMinute(), tokens, nowMillis),
        limits.concurrentRequests() == null
            ? null
            : new LimitsView.Row(limits.concurrentRequests(), inFlight, 0),
        budget.tokensRow(limits, nowMillis),
        budget.spendRow(limits, nowMillis));
  }

  private static LimitsView.@Nullable Row row(
      @Nullable Long limit, SlidingWindow window, long nowMillis) {
    return limit == null
        ? null
        : new LimitsView.Row(limit, window.used(nowMillis), window.millisUntilEmpty(nowMillis));
  }

  static String named(String limit, @Nullable String key) {
    return key == null ? limit : limit + " of the key " + key;
  }
}
