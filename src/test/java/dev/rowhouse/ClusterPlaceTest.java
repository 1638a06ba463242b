package dev.rowhouse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClusterPlaceTest {
  private static final Config GOOD =
      ConfigFactory.parseString(
          """
          pekko.cluster { roles = [gateway, tenant, worker], seed-nodes = [] }
          pekko.remote.artery.canonical.port = 0
          rowhouse.cluster.bootstrap = off
          """);

  @Test
  void seedsAreAddressesOfArtery() {
    assertEquals(
        List.of("pekko://rowhouse@a.example:25520", "pekko://rowhouse@[::1]:1"),
        ClusterPlace.settings(Map.of(ClusterPlace.SEED_NODES, "a.example:25520, [::1]:1"))
            .get("pekko.cluster.seed-nodes"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "a:b", "a:99999", "pekko://rowhouse@a:1", "a:1 b:2"})
  void aSeedThatIsNoAddressIsSaid(String seeds) {
    StartFailure failure =
        assertThrows(
            StartFailure.class,
            () -> ClusterPlace.settings(Map.of(ClusterPlace.SEED_NODES, seeds)));
    assertEquals(StartFailure.CONFIG, failure.exitCode());
    assertTrue(String.valueOf(failure.getMessage()).contains("'" + seeds + "'"));
  }

  @Test
  void withoutVariablesConfIsRight() {
    Map<String, Object> settings = ClusterPlace.settings(Map.of(ClusterPlace.ROLES, " "));
    assertFalse(settings.containsKey("pekko.cluster.seed-nodes"));
    assertFalse(settings.containsKey("pekko.cluster.roles"));
    ClusterPlace.check(GOOD);
  }

  @Test
  void rolesAreAList() {
    assertEquals(
        List.of("gateway", "worker"),
        ClusterPlace.settings(Map.of(ClusterPlace.ROLES, "gateway,worker"))
            .get("pekko.cluster.roles"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pekko.cluster.roles = [gatway]",
        "pekko.cluster.roles = []",
        "pekko.cluster.seed-nodes = [\"pekko://rowhouse@a:1\"]",
        "rowhouse.cluster.bootstrap = on",
        "rowhouse.cluster.bootstrap = on, pekko.remote.artery.canonical.port = 1"
            + ", pekko.cluster.seed-nodes = [\"pekko://rowhouse@a:1\"]"
      })
  void aPlaceThatCannotBeTakenIsSaid(String wrong) {
    Config config = ConfigFactory.parseString(wrong).withFallback(GOOD);
    assertEquals(
        StartFailure.CONFIG,
        assertThrows(StartFailure.class, () -> ClusterPlace.check(config)).exitCode());
  }
}
