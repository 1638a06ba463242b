package dev.rowhouse.fairness;

import dev.rowhouse.bench.arena.Admission;
import dev.rowhouse.bench.arena.Cost;
import dev.rowhouse.bench.arena.OutputEstimate;
import dev.rowhouse.bench.arena.Run;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fair queue inside the engine: it says who enters the batch next, as the policies of the paper
 * do. It is the real one and is called as the coordinator calls it: charge at the grant, progress
 * while tokens come, refund and settle at the end. What a request is taken to cost is fixed when it
 * arrives, as a tenant does.
 */
public final class FairQueueAdmission implements Admission {
  /** No trace has more clients. */
  private static final int CLIENTS_MAX = 10_000;

  private static final class Charged {
    final double estimateCost;
    double charge;

    Charged(double estimateCost) {
      this.estimateCost = estimateCost;
    }
  }

  private final FairQueue queue;
  private final OutputEstimate estimate;
  private final double progressSeconds;
  private final Map<String, ArrayDeque<Run>> waiting = new HashMap<>();
  private final Map<Run, Charged> open = new HashMap<>();
  private FairQueue.@Nullable Pick pick;
  private double progressAtSeconds;

  /**
   * The queue for one run of the engine.
   *
   * @param progressSeconds how often progress is charged; 0: with each token
   * @param creditCost what a client that comes back keeps, in weighted tokens; 0: nothing
   */
  public FairQueueAdmission(OutputEstimate estimate, double progressSeconds, double creditCost) {
    this.queue = new FairQueue(CLIENTS_MAX, creditCost);
    this.estimate = estimate;
    this.progressSeconds = progressSeconds;
  }

  @Override
  public boolean arrived(Run run, double nowSeconds) {
    queue.open(run.client());
    open.put(run, new Charged(Cost.of(run.request().inputTokens(), estimate.tokens(run))));
    waiting(run.client()).addLast(run);
    demand(run.client());
    return true;
  }

  @Override
  public @Nullable Run head(double nowSeconds) {
    pick = queue.next(false);
    return pick == null ? null : waiting(pick.tenant()).peekFirst();
  }

  @Override
  public void entered(Run run, double nowSeconds) {
    if (pick == null) {
      throw new IllegalStateException("nobody was next");
    }
    charged(run).charge = queue.grant(pick);
    waiting(run.client()).removeFirst();
    demand(run.client());
  }

  @Override
  public void streamed(List<Run> batch, double nowSeconds) {
    if (nowSeconds - progressAtSeconds < progressSeconds) {
      return;
    }
    progressAtSeconds = nowSeconds;
    for (Run run : batch) {
      Charged charged = charged(run);
      charged.charge = queue.progress(run.client(), charged.charge, spent(run));
    }
  }

  @Override
  public void finished(Run run, double nowSeconds) {
    queue.refund(run.client(), charged(run).charge);
    queue.release(run.client());
    queue.settle(run.client(), spent(run), 0);
    open.remove(run);
    estimate.learn(run);
  }

  private void demand(String client) {
    ArrayDeque<Run> line = waiting(client);
    Run head = line.peekFirst();
    double headCost = head == null ? 0 : charged(head).estimateCost;
    queue.demand(client, Terms.of(1), Backlog.of(line.size(), headCost));
  }

  private ArrayDeque<Run> waiting(String client) {
    return waiting.computeIfAbsent(client, _ -> new ArrayDeque<>());
  }

  private Charged charged(Run run) {
    Charged charged = open.get(run);
    if (charged == null) {
      throw new IllegalStateException("request " + run.request().id() + " is not open");
    }
    return charged;
  }

  private static double spent(Run run) {
    return Cost.of(run.request().inputTokens(), run.outputDone());
  }
}
