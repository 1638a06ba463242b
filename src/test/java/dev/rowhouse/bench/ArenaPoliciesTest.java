package dev.rowhouse.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.bench.ArenaPolicies.Policy;
import dev.rowhouse.bench.arena.Engine;
import dev.rowhouse.bench.arena.EngineProfile;
import dev.rowhouse.bench.arena.Run;
import dev.rowhouse.bench.arena.Summary;
import dev.rowhouse.bench.arena.TraceRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * On a trace of one minute, made for this test: one client floods, one comes in bursts, one sends a
 * short request each four seconds, one a longer one now and then.
 */
class ArenaPoliciesTest {
  private static final Set<String> LIGHT = Set.of("light", "sparse");

  private final List<TraceRequest> trace = read();

  private static List<TraceRequest> read() {
    try {
      return TraceRequest.read(Path.of("src/test/resources/arena-synthetic.csv"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Policy policy(String name) {
    return ArenaPolicies.compared().stream()
        .filter(policy -> policy.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private Summary summary(Policy policy) {
    return Summary.of(trace, LIGHT, EngineProfile.a10g(), policy.admission(), 1);
  }

  @Test
  void firstComeFirstServedStarvesTheLightClientsAndOursDoesNot() {
    double firstCome = summary(policy("first come first served")).lightMeanSeconds().median();
    double ours = summary(policy("ours: moving mean")).lightMeanSeconds().median();
    double slots = summary(policy("ours: 28 slots")).lightMeanSeconds().median();
    assertTrue(firstCome > 5, "first come first served: " + firstCome + " s");
    assertTrue(ours < firstCome / 5, "in the engine: " + ours + " s");
    assertTrue(slots < firstCome / 5, "with slots: " + slots + " s");
  }

  @Test
  void everyPolicyServesWhatItTookInToItsEnd() {
    for (Policy policy : ArenaPolicies.compared()) {
      int served = summary(policy).served();
      if (policy.name().contains("a minute")) {
        assertTrue(served < trace.size(), policy.name());
      } else {
        assertEquals(trace.size(), served, policy.name());
      }
    }
  }

  @Test
  void theSameRunGivesTheSameFiguresToTheLastDigit() {
    for (String name : List.of("VTC", "ours: moving mean", "ours: 28 slots")) {
      assertEquals(ends(name), ends(name), name);
    }
  }

  @Test
  void thePlotsAreDrawingsWithEveryPolicyInThem(@TempDir Path directory) throws IOException {
    Map<Policy, Summary> summaries = new LinkedHashMap<>();
    for (String name : List.of("first come first served", "VTC", "ours: moving mean")) {
      Policy policy = policy(name);
      summaries.put(policy, summary(policy));
    }
    ArenaPlots.write(directory, summaries);
    for (String file : List.of("arena-difference.svg", "arena-tradeoff.svg")) {
      String drawing = Files.readString(directory.resolve(file));
      assertTrue(drawing.startsWith("<svg "), file);
      summaries.keySet().forEach(policy -> assertTrue(drawing.contains(policy.name()), file));
    }
  }

  private List<Double> ends(String name) {
    Engine engine = new Engine(EngineProfile.a10g(), policy(name).admission().get(), new Random(7));
    return engine.serve(trace).stream().map(Run::endSeconds).toList();
  }
}
