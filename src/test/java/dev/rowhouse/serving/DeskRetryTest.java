package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.serving.Samples.Profile;
import dev.rowhouse.serving.Samples.Request;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

/** A request at the desk whose run is lost, and one whose model nobody serves. */
class DeskRetryTest {
  private static final long NOW = Samples.NOW;

  private final ActorRef<Object> gateway = TestInbox.create().getRef();
  private final Profile profile = new Profile();

  private InFlight admitted(Desk desk) {
    return ((Desk.Decision.Accepted) desk.admit(new Request().build(), gateway, NOW)).request();
  }

  private static void nobodyServes(Desk desk, String pool) {
    desk.waiting().outlook(new SlotHolder.Outlook(pool, 0, 0), NOW);
  }

  @Test
  void aLostRunsRequestKeepsItsTurnAndItsReservationAndCountsOnce() {
    Desk desk = Samples.desk(profile.build());
    InFlight first = admitted(desk);
    InFlight later = admitted(desk);
    desk.waiting().enter(later);
    first.running = true;
    LimitsView before = desk.view("k1", NOW);
    InFlight again = desk.retry(first.attempt(), first.ask.as(Samples.attempt()), gateway);
    assertNotNull(again);
    assertEquals(before, desk.view("k1", NOW));
    desk.waiting().enter(again);
    assertSame(again, desk.waiting().next("small", false, NOW));
    assertNull(desk.find(first.attempt()));
    desk.settle(Samples.spent(first.attempt(), 10, 0, 0), NOW);
    assertSame(again, desk.find(again.attempt()), "the lost one is settled beside it");
  }

  @Test
  void anUnknownRunIsNotTriedAgain() {
    Desk desk = Samples.desk(profile.build());
    assertNull(desk.retry(Samples.attempt(), new Request().build(), gateway));
  }

  @Test
  void aRequestWhoseModelNobodyServesGoesToItsFallbackAndKeepsItsOwnAsTheLast() {
    profile.fallbacks = Map.of("small", List.of("large"));
    Desk desk = Samples.desk(profile.build());
    InFlight request = admitted(desk);
    desk.waiting().enter(request);
    assertNull(desk.elsewhere(request, NOW), "nothing is known against its own model");
    nobodyServes(desk, "small");
    InFlight moved = desk.elsewhere(request, NOW);
    assertNotNull(moved);
    assertEquals("large", moved.pool());
    assertEquals(List.of(Samples.SMALL), moved.fallbacks);
    assertEquals(request.arrival, moved.arrival);
    assertEquals(0, desk.waiting().size("small"));
    assertSame(moved, desk.find(request.attempt()));
  }

  @Test
  void aRequestStaysWhereItIsWhenNobodyServesItsFallbackEither() {
    profile.fallbacks = Map.of("small", List.of("large"));
    Desk desk = Samples.desk(profile.build());
    InFlight request = admitted(desk);
    desk.waiting().enter(request);
    nobodyServes(desk, "small");
    InFlight moved = desk.elsewhere(request, NOW);
    assertNotNull(moved);
    desk.waiting().enter(moved);
    nobodyServes(desk, "large");
    assertNull(desk.elsewhere(moved, NOW));
  }
}
