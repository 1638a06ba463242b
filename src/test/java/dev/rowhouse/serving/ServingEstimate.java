package dev.rowhouse.serving;

import dev.rowhouse.bench.arena.OutputEstimate;
import dev.rowhouse.bench.arena.Run;
import dev.rowhouse.tenant.Estimator;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The estimates of this room, each client of a trace taken for a tenant. */
public final class ServingEstimate implements OutputEstimate {
  private static final String MODEL = "m";

  private final Estimator estimator;
  private final @Nullable Long declaredMax;
  private final Map<String, OutputEstimates> tenants = new HashMap<>();

  /**
   * Nothing is learned yet.
   *
   * @param declaredMax what every request declares as {@code max_tokens}
   */
  public ServingEstimate(Estimator estimator, @Nullable Long declaredMax) {
    this.estimator = estimator;
    this.declaredMax = declaredMax;
  }

  @Override
  public double tokens(Run run) {
    return of(run).charged(estimator, MODEL, declaredMax);
  }

  @Override
  public void learn(Run run) {
    of(run).learn(MODEL, run.outputDone());
  }

  private OutputEstimates of(Run run) {
    return tenants.computeIfAbsent(run.client(), _ -> new OutputEstimates());
  }
}
