package dev.rowhouse.usage;

/**
 * What a calendar month has used so far.
 *
 * @param month such as {@code 2026-01}, in the tenant's time zone
 */
public record MonthUse(
    String month, long requests, long inputTokens, long outputTokens, long costMicros) {
  public long tokens() {
    return inputTokens + outputTokens;
  }
}
