package dev.rowhouse.inference;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * An answer in the making, pulled by its reader: an engine reads no more from its upstream than was
 * asked for. The last event is {@link EngineEvent.Done} or {@link EngineEvent.Failed}; a stage that
 * completes exceptionally is a bug of the engine.
 */
interface EngineCall {

  /** The next events, perhaps none yet. Not called again before the last stage has completed. */
  CompletionStage<List<EngineEvent>> next();

  /** Stops the work at once and closes the connection. Harmless when the call is over. */
  void cancel();

  /** How long the reader waits for the stage of {@link #next()} before it gives up. */
  long patienceMillis();
}
