package dev.rowhouse.usage;

/** A running sum. Only the state of one ledger holds it, so it may change in place. */
final class Tally {
  long requests;
  long inputTokens;
  long outputTokens;
  long costMicros;

  void change(UsageRecord record, int sign) {
    requests += sign;
    inputTokens += sign * record.inputTokens();
    outputTokens += sign * record.outputTokens();
    costMicros += sign * record.costMicros();
  }

  void add(Tally other) {
    requests += other.requests;
    inputTokens += other.inputTokens;
    outputTokens += other.outputTokens;
    costMicros += other.costMicros;
  }

  boolean isZero() {
    return requests == 0 && inputTokens == 0 && outputTokens == 0 && costMicros == 0;
  }
}
