package dev.rowhouse.bench.arena;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Continuous batching as the testbed of the paper does it, on a virtual clock: each step gives
 * every run of the batch one token; after every few steps those that fit enter together, while the
 * others stand still. A request enters when the pool will hold all runs at every later moment,
 * given that each goes on to its end; the head of the queue that does not fit holds up those behind
 * it.
 */
public final class Engine {
  /** No step is more than so much shorter or longer than its profile says. */
  private static final double JITTER_SHARE = 0.05;

  private static final Comparator<Run> MOST_LEFT_FIRST =
      Comparator.comparingInt(Run::outputLeft).reversed();

  private final EngineProfile profile;
  private final Admission admission;
  private final @Nullable RandomGenerator jitter;
  private final List<Run> batch = new ArrayList<>();
  private double nowSeconds;

  /** Requests that were taken in and have not ended. */
  private int open;

  /**
   * An engine for one trace.
   *
   * @param jitter makes steps unequally long; null: none is
   */
  public Engine(EngineProfile profile, Admission admission, @Nullable RandomGenerator jitter) {
    this.profile = profile;
    this.admission = admission;
    this.jitter = jitter;
  }

  /** Serves the trace to its end. */
  public List<Run> serve(List<TraceRequest> trace) {
    List<Run> runs = trace.stream().map(Run::new).toList();
    int next = 0;
    int steps = 0;
    while (next < runs.size() || open > 0) {
      while (next < runs.size() && runs.get(next).request().arrivalSeconds() <= nowSeconds) {
        Run arrival = runs.get(next++);
        if (admission.arrived(arrival, nowSeconds)) {
          open++;
        } else {
          arrival.refuse();
        }
      }
      if (!batch.isEmpty() && steps < profile.stepsBetweenEntries()) {
        step();
        steps++;
        continue;
      }
      List<Run> entering = entering();
      if (!entering.isEmpty()) {
        prefill(entering);
        steps = 0;
      } else if (!batch.isEmpty()) {
        step();
      } else {
        nowSeconds += profile.idleSeconds();
      }
    }
    return runs;
  }

  private List<Run> entering() {
    List<Run> entering = new ArrayList<>();
    int inputTokens = 0;
    Run head = admission.head(nowSeconds);
    if (head != null
        && batch.isEmpty()
        && (head.request().inputTokens() > profile.prefillTokensMax() || !fits(entering, head))) {
      throw new IllegalStateException("request " + head.request().id() + " can never fit");
    }
    while (head != null
        && inputTokens + head.request().inputTokens() <= profile.prefillTokensMax()
        && fits(entering, head)) {
      inputTokens += head.request().inputTokens();
      admission.entered(head, nowSeconds);
      entering.add(head);
      head = admission.head(nowSeconds);
    }
    return entering;
  }

  /**
   * Whether the pool holds the batch, those that enter and this one until all have ended. The runs
   * end in the order of what they have left; at each end the pool is fullest just before it.
   */
  private boolean fits(List<Run> entering, Run candidate) {
    int count = batch.size() + entering.size() + 1;
    Run[] all = new Run[count];
    for (int i = 0; i < count; i++) {
      int begun = i - batch.size();
      all[i] = begun < 0 ? batch.get(i) : begun < entering.size() ? entering.get(begun) : candidate;
    }
    Arrays.sort(all, MOST_LEFT_FIRST);
    Set<String> clients = new HashSet<>();
    long held = 0;
    long most = 0;
    for (int i = 0; i < count; i++) {
      Run run = all[i];
      clients.add(run.client());
      held += Math.max(run.request().inputTokens() + 1, run.poolTokens());
      most = Math.max(most, held + (long) (i + 1) * (run.outputLeft() - 1));
    }
    return most < profile.poolTokens() - (long) profile.clientTokens() * clients.size();
  }

  private void prefill(List<Run> entering) {
    int inputTokens = entering.stream().mapToInt(run -> run.request().inputTokens()).sum();
    pass(profile.prefill(inputTokens));
    List<Run> begun = new ArrayList<>(entering);
    token(begun);
    batch.addAll(begun);
  }

  private void step() {
    admission.counted(batch);
    int tokens = batch.stream().mapToInt(Run::poolTokens).sum();
    pass(profile.step(batch.size(), tokens));
    token(batch);
  }

  private void pass(double seconds) {
    double share = jitter == null ? 0 : JITTER_SHARE * (2 * jitter.nextDouble() - 1);
    nowSeconds += seconds * (1 + share);
  }

  private void token(List<Run> runs) {
    runs.forEach(run -> run.token(nowSeconds));
    admission.streamed(List.copyOf(runs), nowSeconds);
    List<Run> over = runs.stream().filter(Run::isOver).toList();
    if (!over.isEmpty()) {
      admission.counted(runs);
      over.forEach(run -> admission.finished(run, nowSeconds));
      runs.removeAll(over);
      open -= over.size();
    }
  }
}
