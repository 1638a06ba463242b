package dev.rowhouse.tenant;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the output of a request is taken to cost in fair sharing when its slot is granted, before
 * anybody knows how long its answer gets. The difference to what it did cost is settled at its end;
 * until then an estimate that is too low lets a tenant get ahead, one that is too high holds it
 * back, by at most the error times its slots.
 *
 * <p>It has no part in limits, which reserve tokens by an estimate of their own.
 */
public enum Estimator {
  /** Nothing: an answer is charged while it comes. */
  ZERO,

  /** The moving mean of the tenant's answers. */
  MOVING_MEAN,

  /** What the request declares as {@code max_tokens}; the moving mean when it declares nothing. */
  MAX_TOKENS;

  /** As bodies of the operator plane and conf say it: {@code moving_mean}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static @Nullable Estimator ofLabel(String label) {
    for (Estimator estimator : values()) {
      if (estimator.label().equals(label)) {
        return estimator;
      }
    }
    return null;
  }
}
