package dev.rowhouse.inference;

/** One way to compute an answer: in this process, or at an upstream. */
interface Engine {

  /** Prepares a call; the work begins with the first {@link EngineCall#next()}. */
  EngineCall call(EngineRequest request);
}
