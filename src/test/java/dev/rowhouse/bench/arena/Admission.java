package dev.rowhouse.bench.arena;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who enters the batch next: one policy with its state, for one run of the engine. */
public interface Admission {

  /** A request has come; false: it is refused and never runs. */
  boolean arrived(Run run, double nowSeconds);

  /** Who would enter now; null when nobody may. Asked again until it does not fit. */
  @Nullable Run head(double nowSeconds);

  /** The head has entered the batch. */
  void entered(Run run, double nowSeconds);

  /**
   * The testbed counts these runs: before each step of the batch, and once more when one of them is
   * over, which counts the others twice. Only its own policies use this.
   */
  default void counted(List<Run> batch) {}

  /** Each of these has one more output token. */
  default void streamed(List<Run> batch, double nowSeconds) {}

  /** It has had its last token. */
  default void finished(Run run, double nowSeconds) {}
}
