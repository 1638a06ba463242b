package dev.rowhouse.usage;

/**
 * What the attempts that were admitted in one second have used.
 *
 * @param second since 1970-01-01T00:00Z
 */
public record SecondUse(long second, long requests, long tokens) {
  SecondUse change(UsageRecord record, int sign) {
    return new SecondUse(second, requests + sign, tokens + sign * record.tokens());
  }
}
