package dev.rowhouse.bench.arena;

/**
 * What the simulated engine can hold and how long its steps take.
 *
 * @param poolTokens tokens of key-value cache
 * @param clientTokens tokens of that pool taken by each client with a run in the batch: the testbed
 *     tells clients apart by an adapter, rank 8 in four matrices
 * @param prefillTokensMax input tokens of the requests that enter together
 * @param stepsBetweenEntries steps of the batch between two looks at the queue, unless nobody could
 *     enter at the last look
 * @param prefillSeconds of entering, whatever enters
 * @param prefillTokenSeconds more for each input token that enters
 * @param stepSeconds of one token for everybody in the batch, whatever it holds
 * @param stepRunSeconds more for each run in the batch
 * @param stepTokenSeconds more for each token in the pool
 * @param routerSeconds of the serving software around each step
 * @param idleSeconds between two looks at an empty queue
 */
public record EngineProfile(
    int poolTokens,
    int clientTokens,
    int prefillTokensMax,
    int stepsBetweenEntries,
    double prefillSeconds,
    double prefillTokenSeconds,
    double stepSeconds,
    double stepRunSeconds,
    double stepTokenSeconds,
    double routerSeconds,
    double idleSeconds) {

  /**
   * Llama-2-7B on an A10G, pool of 10,000 tokens. The times are the least-squares fit of the
   * artifact's 23 measured batches (fair_bench/cost_profile.json; steps of batches below 100,
   * largest error 2.2 ms). They leave out the serving software; its share was set once so that
   * first come first served takes as long as published, and is the same for all policies.
   */
  public static EngineProfile a10g() {
    return new EngineProfile(
        10_000, 32, 3_072, 10, 0.0358, 0.000213, 0.0230, 0.000152, 0.00000149, 0.0023, 0.010);
  }

  double prefill(int inputTokens) {
    return prefillSeconds + prefillTokenSeconds * inputTokens;
  }

  double step(int runs, int tokens) {
    return stepSeconds + routerSeconds + stepRunSeconds * runs + stepTokenSeconds * tokens;
  }
}
