package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.inference.EndpointHealth.Cap;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EndpointHealthTest {
  private final EndpointHealth health = RunningActors.health();
  private long version;
  private long now = 1_000;

  private static ModelSpec model(String name, @Nullable String baseUrl, @Nullable String upstream) {
    return new ModelSpec(name, "openai", baseUrl, upstream, null, 4, null, 0, 0, 1, 2, null, null);
  }

  private List<Cap> catalog(ModelSpec... models) {
    Map<String, ModelSpec> byName = new HashMap<>();
    for (ModelSpec model : models) {
      byName.put(model.name(), model);
    }
    return health.catalog(new Catalog(++version, byName, Map.of()));
  }

  private List<Cap> fail(String model) {
    List<Cap> caps = List.of();
    for (int i = 0; i < 5 && caps.isEmpty(); i++) {
      now++;
      caps = health.ended(new CallEnded(model, CallOutcome.FAULT, 1, 0), now);
    }
    return caps;
  }

  @Test
  void anEndpointThatFailsLosesItsSlotsAndGetsFewBackThenAll() {
    catalog(model("a", "http://one/v1", null));
    assertEquals(List.of(new Cap("a", 0)), fail("a"));
    assertEquals(0, health.slotsMax("a"));
    now = health.dueMillis();
    assertEquals(List.of(new Cap("a", 1)), health.tick(now));
    now += 10;
    assertEquals(List.of(), health.ended(new CallEnded("a", CallOutcome.ANSWERED, 1, 0), now));
    assertEquals(
        List.of(new Cap("a", Integer.MAX_VALUE)),
        health.ended(new CallEnded("a", CallOutcome.ANSWERED, 1, 0), now));
    assertEquals(Long.MAX_VALUE, health.dueMillis());
  }

  @Test
  void modelsOfOneEndpointAreWellOrIllTogetherAndOthersAreNot() {
    catalog(
        model("a", "http://one/v1", "big"),
        model("b", "http://one/v1", "big"),
        model("big", "http://one/v1", null),
        model("c", "http://one/v1", "small"),
        model("d", "http://two/v1", "big"));
    assertEquals(
        Set.of(new Cap("a", 0), new Cap("b", 0), new Cap("big", 0)), Set.copyOf(fail("b")));
    assertEquals(Integer.MAX_VALUE, health.slotsMax("c"));
    assertEquals(Integer.MAX_VALUE, health.slotsMax("d"));
  }

  @Test
  void aModelInThisProcessHasNoEndpoint() {
    assertEquals(List.of(new Cap("own", Integer.MAX_VALUE)), catalog(model("own", null, null)));
    assertEquals(List.of(), fail("own"));
    assertTrue(health.views(now).isEmpty());
  }

  @Test
  void aModelThatMovesToAnotherEndpointIsWell() {
    catalog(model("a", "http://one/v1", null));
    fail("a");
    assertEquals(List.of(new Cap("a", 0)), catalog(model("a", "http://one/v1", null)));
    assertEquals(
        List.of(new Cap("a", Integer.MAX_VALUE)), catalog(model("a", "http://two/v1", null)));
    assertEquals(Long.MAX_VALUE, health.dueMillis(), "nobody waits for the old one");
  }

  @Test
  void whatIsSeenNamesTheModelAndNotItsAddress() {
    catalog(model("a", "http://one/v1", "big"));
    fail("a");
    WorkerCommand.EndpointView view = health.views(now).getFirst();
    assertEquals("a", view.model());
    assertEquals("open", view.state());
    assertTrue(view.reopensInMillis() > 0);
    assertEquals(1, view.openedTotal());
  }
}
