package dev.rowhouse.bench.arena;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class EngineTest {
  /** A pool of 100 tokens; entering takes 1 s, a step 0.1 s; the queue is looked at each step. */
  private static final EngineProfile SMALL =
      new EngineProfile(100, 0, 1_000, 1, 1, 0, 0.1, 0, 0, 0, 0.5);

  private static List<Run> serve(EngineProfile profile, TraceRequest... trace) {
    return new Engine(profile, FirstCome.unlimited(), null).serve(List.of(trace));
  }

  @Test
  void enteringGivesTheFirstTokenAndEachStepOneMore() {
    Run run = serve(SMALL, new TraceRequest(0, 0, "a", 10, 5)).getFirst();
    assertEquals(1, run.firstTokenSeconds(), 1e-9);
    assertEquals(1.4, run.endSeconds(), 1e-9);
  }

  @Test
  void thoseThatFitTogetherRunTogether() {
    List<Run> runs =
        serve(SMALL, new TraceRequest(0, 0, "a", 40, 5), new TraceRequest(1, 0, "b", 40, 5));
    assertEquals(1, runs.get(1).firstTokenSeconds(), 1e-9);
  }

  @Test
  void whatThePoolWouldNotHoldToItsEndWaits() {
    // 40 + 20 and 40 + 20 are more than 100 just before the first one ends at 2.9 s.
    List<Run> runs =
        serve(SMALL, new TraceRequest(0, 0, "a", 40, 20), new TraceRequest(1, 0, "b", 40, 20));
    assertEquals(2.9, runs.get(0).endSeconds(), 1e-9);
    assertEquals(3.9, runs.get(1).firstTokenSeconds(), 1e-9);
  }

  @Test
  void theHeadThatDoesNotFitHoldsUpThoseBehindIt() {
    List<Run> runs =
        serve(
            SMALL,
            new TraceRequest(0, 0, "a", 40, 20),
            new TraceRequest(1, 0, "b", 60, 20),
            new TraceRequest(2, 0, "c", 5, 2));
    assertEquals(runs.get(1).firstTokenSeconds(), runs.get(2).firstTokenSeconds(), 1e-9);
    assertTrue(runs.get(2).firstTokenSeconds() > runs.get(0).endSeconds());
  }

  @Test
  void anEmptyEngineLooksAgainEachIdleTime() {
    Run run = serve(SMALL, new TraceRequest(0, 0.7, "a", 10, 1)).getFirst();
    assertEquals(2, run.firstTokenSeconds(), 1e-9);
  }

  @Test
  void aRequestThatCanNeverFitIsAMistakeOfTheTrace() {
    assertThrows(
        IllegalStateException.class, () -> serve(SMALL, new TraceRequest(0, 0, "a", 90, 20)));
  }

  @Test
  void aLimitPerMinuteRefusesWhatIsAboveIt() {
    List<TraceRequest> trace =
        List.of(
            new TraceRequest(0, 0, "a", 5, 2),
            new TraceRequest(1, 1, "a", 5, 2),
            new TraceRequest(2, 2, "a", 5, 2),
            new TraceRequest(3, 70, "a", 5, 2));
    List<Run> runs = new Engine(SMALL, FirstCome.perMinute(2), null).serve(trace);
    assertEquals(List.of(false, false, true, false), runs.stream().map(Run::refused).toList());
  }

  @Test
  void resultsOfTheArtifactHoldItsTrace() throws IOException {
    List<TraceRequest> trace =
        TraceRequest.parseResults(
            List.of(
                """
                {"result": {"responses": [
                  {"adapter_dir": "dummy-lora-7b-rank-8-13", "prompt_len": 36, "output_len": 137,
                   "request_latency": 6.7, "first_token_latency": 1.5, "req_time": 0.25}]}}
                """));
    assertEquals(List.of(new TraceRequest(0, 0.25, "13", 36, 137)), trace);
  }

  @Test
  void aFileWithOtherColumnsIsRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> TraceRequest.parse(List.of("arrival,client")));
  }
}
