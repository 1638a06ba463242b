package dev.rowhouse.fairness;

import dev.rowhouse.bench.arena.Admission;
import dev.rowhouse.bench.arena.Cost;
import dev.rowhouse.bench.arena.OutputEstimate;
import dev.rowhouse.bench.arena.Run;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fair queue inside the engine: it says who enters the batch next, as the policies of the paper
 * do. It is the real one, by {@link FairTurns}. What a request is taken to cost is fixed when it
 * arrives, as a tenant does.
 */
public final class FairQueueAdmission implements Admission {
  /** No trace has more clients. */
  private static final int CLIENTS_MAX = 10_000;

  private final FairTurns<Run> turns;
  private final OutputEstimate estimate;
  private final double progressSeconds;
  private final Map<Run, FairTurns.Running<Run>> open = new HashMap<>();
  private FairTurns.@Nullable Turn<Run> turn;
  private double progressAtSeconds;

  /**
   * The queue for one run of the engine.
   *
   * @param progressSeconds how often progress is charged; 0: with each token
   * @param creditCost what a client that comes back keeps, in weighted tokens; 0: nothing
   */
  public FairQueueAdmission(OutputEstimate estimate, double progressSeconds, double creditCost) {
    this.turns = new FairTurns<>(CLIENTS_MAX, creditCost);
    this.estimate = estimate;
    this.progressSeconds = progressSeconds;
  }

  @Override
  public boolean arrived(Run run, double nowSeconds) {
    double cost = Cost.of(run.request().inputTokens(), estimate.tokens(run));
    turns.arrived(run.client(), run, cost, false);
    return true;
  }

  @Override
  public @Nullable Run head(double nowSeconds) {
    turn = turns.next(false);
    return turn == null ? null : turn.request();
  }

  @Override
  public void entered(Run run, double nowSeconds) {
    if (turn == null) {
      throw new IllegalStateException("nobody was next");
    }
    open.put(run, turns.begin(turn));
  }

  @Override
  public void streamed(List<Run> batch, double nowSeconds) {
    if (nowSeconds - progressAtSeconds < progressSeconds) {
      return;
    }
    progressAtSeconds = nowSeconds;
    batch.forEach(run -> turns.progress(running(run), spent(run)));
  }

  @Override
  public void finished(Run run, double nowSeconds) {
    turns.end(running(run), spent(run));
    open.remove(run);
    estimate.learn(run);
  }

  private FairTurns.Running<Run> running(Run run) {
    FairTurns.Running<Run> running = open.get(run);
    if (running == null) {
      throw new IllegalStateException("request " + run.request().id() + " does not run");
    }
    return running;
  }

  private static double spent(Run run) {
    return Cost.of(run.request().inputTokens(), run.outputDone());
  }
}
