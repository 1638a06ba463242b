package dev.rowhouse.bench.arena;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ServiceDifferenceTest {
  /** Two windows of 10 s that begin at 10 s and 20 s; the trace is 30 s long without warm-up. */
  private static final ServiceDifference.Windows WINDOWS =
      new ServiceDifference.Windows(30, 10, 0, 2);

  private static Run run(
      String client, double arrival, int input, int output, double first, double end) {
    Run run = new Run(new TraceRequest(0, arrival, client, input, output));
    for (int token = 0; token < output; token++) {
      run.token(token == 0 ? first : end);
    }
    return run;
  }

  private static List<Double> differences(Run... runs) {
    return ServiceDifference.perTick(List.of(runs), WINDOWS);
  }

  @Test
  void windowsOfThePaperBeginAtTheTicksAfterTheWarmUp() {
    ServiceDifference.Windows published = ServiceDifference.Windows.published();
    assertEquals(28.5, published.begin(0), 1e-9);
    assertEquals(88.5, published.end(0), 1e-9);
    assertEquals(541.5, published.begin(18), 1e-9);
    assertEquals(601.5, published.end(18), 1e-9);
  }

  @Test
  void oneClientAloneIsServedLikeTheOneServedMost() {
    assertEquals(List.of(0.0, 0.0), differences(run("a", 6, 100, 50, 6, 14)));
  }

  @Test
  void aClientThatGetsWhatItAsksForIsNotDifferent() {
    // The windows are 5-15 and 15-25. a: 300 weighted tokens asked and served, b: 100 of each.
    assertEquals(
        List.of(0.0, 0.0), differences(run("a", 6, 100, 100, 6, 14), run("b", 7, 20, 40, 8, 12)));
  }

  @Test
  void whatAClientLacksCountsUntilItHasWhatItAskedFor() {
    // a: 300 in the first window. b asks for 100 in the first and is served in the second: it lacks
    // 10 a second in the first, min(30 - 0, 10), and gets 10 more than it asks for in the second,
    // where it is served most, so that counts nothing.
    assertEquals(
        List.of(10.0, 0.0), differences(run("a", 6, 100, 100, 6, 14), run("b", 7, 20, 40, 16, 20)));
  }

  @Test
  void serviceIsSpreadEvenlyFromFirstTokenToEnd() {
    // a: 200 from 10 to 20, so 10 a second in both windows, asked for in the first: min(0, ..) = 0.
    // b: 300 asked in the first and served 15-25: lacks min(10 - 0, 30) = 10, then is served most;
    // then a lacks min(30 - 10, 10 - 0) = 10.
    assertEquals(
        List.of(10.0, 10.0),
        differences(run("a", 6, 100, 50, 10, 20), run("b", 7, 100, 100, 15, 25)));
  }

  @Test
  void whatIsRefusedIsNeitherAskedForNorServed() {
    Run refused = new Run(new TraceRequest(1, 7, "b", 20, 40));
    refused.refuse();
    assertEquals(List.of(0.0, 0.0), differences(run("a", 6, 100, 100, 6, 14), refused));
  }

  @Test
  void theScoreHasThroughputToTheLastEndAndTheWaitsOfTheLightClients() {
    Score score =
        Score.of(
            List.of(
                run("heavy", 0, 100, 100, 1, 20),
                run("light", 2, 20, 40, 5, 12),
                run("light", 3, 20, 20, 4, 10)),
            Set.of("light"),
            WINDOWS);
    assertEquals(15, score.tokensPerSecond(), 1e-9);
    assertEquals(2, score.lightMeanSeconds(), 1e-9);
    assertEquals(2.98, score.lightP99Seconds(), 1e-9);
  }
}
