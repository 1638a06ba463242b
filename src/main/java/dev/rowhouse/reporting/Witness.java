package dev.rowhouse.reporting;

import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Who keeps, outside these tables, what they have to tell. */
public interface Witness {
  /**
   * Keeps heads of ledgers' hash chains; the stage ends when they are durable.
   *
   * @param heads sequence number and hash, with a space between, by persistence id
   */
  CompletionStage<?> anchor(Map<String, String> heads);

  /** Hears of a difference that nothing had announced. */
  void alarm(Reconciliation.Outcome outcome);
}
