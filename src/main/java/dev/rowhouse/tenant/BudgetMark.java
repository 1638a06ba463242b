package dev.rowhouse.tenant;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A budget of a month has been used up to a part of it: what a tenant or an operator wants to know
 * before requests are refused. A budget that is changed is another budget, with marks of its own.
 *
 * @param limit {@code tokens_per_month} or {@code spend_per_month}
 * @param key the key whose own budget it is; absent: the tenant's
 * @param month such as {@code 2026-01}, in the tenant's time zone
 * @param percent of the budget
 * @param budget tokens, or millionths of the price unit
 */
public record BudgetMark(
    String limit, @Nullable String key, String month, int percent, long budget) {

  public static final String TOKENS = "tokens_per_month";
  public static final String SPEND = "spend_per_month";

  /** The same for the same mark, whoever finds it. */
  public String id() {
    return "budget|%s|%s|%s|%d|%d".formatted(limit, key == null ? "" : key, month, percent, budget);
  }

  /** A mark and when it was reached. */
  public record Reached(BudgetMark mark, Instant at) {}
}
