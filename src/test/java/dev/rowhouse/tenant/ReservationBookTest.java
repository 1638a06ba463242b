package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReservationBookTest {
  private final Map<String, ModelSpec> models = new HashMap<>();
  private final Map<String, ReservationClaim> held = new HashMap<>();

  @Test
  void fitsUpToFourFifths() {
    pool("wide", 10, null);
    assertNull(misfit(slots(8)));
    assertNotNull(misfit(slots(9)));
    assertNull(misfit(share(0.8)));
  }

  @Test
  void sumsSlotsAndSharesOfAllOthers() {
    pool("wide", 10, null);
    held.put("a", slots(3));
    held.put("b", share(0.25));
    assertNull(misfit(slots(2)));
    assertNull(misfit(share(0.25)));
    assertEquals(
        "does not fit in the pool of the model wide: asked 3 slots (30 %), already reserved by"
            + " others 5.5 slots (55 %), capacity 10 slots, at most 8 slots (80 %) in all",
        misfit(slots(3)));
  }

  @Test
  void whatTheTenantHasItselfDoesNotStandInItsWay() {
    pool("wide", 10, null);
    held.put("acme", slots(8));
    assertNull(misfit(share(0.8)));
  }

  @Test
  void capacityIsSlotsOfEachWorkerOrInTotal() {
    pool("each", 2, null);
    assertNotNull(misfit(slots(2), 1));
    assertNull(misfit(slots(2), 2));
    assertNotNull(misfit(slots(2), 0), "workers that are away count as one");
    models.clear();
    models.put("total", model("total", ModelSpec.OPENAI, 0, 10, null));
    assertNull(misfit(slots(8), 3));
    assertNotNull(misfit(slots(9), 3));
  }

  @Test
  void onlyThePoolsCountThatTheTenantMayUse() {
    pool("wide", 10, null);
    pool("narrow", 1, null);
    pool("theirs", 1, new TenantId("globex"));
    models.put("embeds", model("embeds", ModelSpec.EMBEDDING, 1, null, null));
    assertTrue(String.valueOf(misfit(slots(5))).contains("narrow"));
    assertNull(misfit(new ReservationClaim(5, 0, List.of("wide"), 0)));
    held.put("other", new ReservationClaim(0, 0.8, List.of("narrow"), 0));
    assertNull(misfit(new ReservationClaim(0, 0.8, List.of("wide"), 0)));
  }

  @Test
  void namesThePoolWhereItFitsLeast() {
    pool("a", 10, null);
    pool("b", 5, null);
    pool("c", 8, null);
    assertTrue(String.valueOf(misfit(slots(9))).contains("the model b: asked 9 slots (180 %)"));
  }

  @Test
  void tenTimesATenthOfEightyPercentFits() {
    pool("wide", 10, null);
    for (int i = 0; i < 9; i++) {
      held.put("t" + i, share(0.08));
    }
    assertNull(misfit(share(0.08)));
    assertNotNull(misfit(share(0.09)));
  }

  @Test
  void anAliasStandsForItsModel() {
    ReservationClaim claim =
        ReservationClaim.of(
            new Reservation(2, 0), List.of("mine", "other"), Map.of("mine", "wide"), 3);
    assertEquals(new ReservationClaim(2, 0, List.of("other", "wide"), 3), claim);
    assertNull(ReservationClaim.of(Reservation.NONE, List.of("mine"), Map.of(), 3));
  }

  @Test
  void lessInTheSamePoolsIsWithinWhatOneHas() {
    ReservationClaim has = new ReservationClaim(4, 0, List.of("a", "b"), 0);
    assertTrue(has.isWithin(has));
    assertTrue(new ReservationClaim(3, 0, List.of("a"), 0).isWithin(has));
    assertFalse(new ReservationClaim(5, 0, List.of("a"), 0).isWithin(has));
    assertFalse(new ReservationClaim(4, 0, List.of("a", "c"), 0).isWithin(has));
    assertFalse(new ReservationClaim(4, 0, List.of(), 0).isWithin(has), "all pools are more");
    assertFalse(new ReservationClaim(0, 0.1, List.of("a"), 0).isWithin(has), "another kind");
    assertTrue(has.isWithin(new ReservationClaim(4, 0, List.of(), 0)));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void whateverIsAskedNoPoolIsReservedBeyondFourFifths(long seed) {
    Random random = new Random(seed);
    List<String> names = List.of("p", "q", "r");
    names.forEach(name -> pool(name, 1 + random.nextInt(20), null));
    for (int i = 0; i < 500; i++) {
      String tenant = "t" + random.nextInt(12);
      if (random.nextInt(4) == 0) {
        held.remove(tenant);
        continue;
      }
      List<String> used = random.nextBoolean() ? List.of() : names.subList(0, 1 + i % 3);
      ReservationClaim asked =
          random.nextBoolean()
              ? new ReservationClaim(1 + random.nextInt(8), 0, used, 0)
              : new ReservationClaim(0, random.nextDouble() * 0.8, used, 0);
      if (ReservationBook.misfit(tenant, asked, held, models, 1) == null) {
        held.put(tenant, asked);
      }
      for (String name : names) {
        int capacity = ReservationBook.capacity(modelOf(name), 1);
        double sum =
            held.values().stream()
                .filter(claim -> claim.models().isEmpty() || claim.models().contains(name))
                .mapToDouble(claim -> claim.partOf(capacity))
                .sum();
        assertTrue(sum <= 0.8 + 1e-6, name + " is reserved to " + sum);
      }
    }
  }

  private ModelSpec modelOf(String name) {
    ModelSpec model = models.get(name);
    assertNotNull(model);
    return model;
  }

  private void pool(String name, int slots, @Nullable TenantId owner) {
    models.put(name, model(name, ModelSpec.EMBEDDED, slots, null, owner));
  }

  private static ModelSpec model(
      String name,
      String engine,
      int slots,
      @Nullable Integer slotsTotal,
      @Nullable TenantId owner) {
    return new ModelSpec(
        name, engine, null, null, null, slots, slotsTotal, 0, 0, 1, 2, null, owner);
  }

  private static ReservationClaim slots(int slots) {
    return new ReservationClaim(slots, 0, List.of(), 0);
  }

  private static ReservationClaim share(double share) {
    return new ReservationClaim(0, share, List.of(), 0);
  }

  private @Nullable String misfit(ReservationClaim asked) {
    return misfit(asked, 1);
  }

  private @Nullable String misfit(ReservationClaim asked, int workers) {
    return ReservationBook.misfit("acme", asked, held, models, workers);
  }
}
