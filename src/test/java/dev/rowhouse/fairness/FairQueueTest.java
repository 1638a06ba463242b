package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FairQueueTest {
  private static final int MANY = 1_000_000;

  private final FairQueue queue = new FairQueue(100);

  private static void wants(FairQueue queue, String tenant, double weight, int waiting) {
    queue.open(tenant);
    queue.demand(tenant, Terms.of(weight), Backlog.of(waiting, 10));
  }

  /** One slot: the next tenant runs once at this cost. */
  private static String serve(FairQueue queue, double cost) {
    queue.capacity(1);
    FairQueue.Pick pick = queue.next(false);
    assertNotNull(pick);
    double charge = queue.grant(pick);
    queue.refund(pick.tenant(), charge);
    queue.settle(pick.tenant(), cost, pick.reserved() ? 1 : 0);
    queue.release(pick.tenant());
    return pick.tenant();
  }

  private static Map<String, Double> serveMany(FairQueue queue, int runs, double cost) {
    Map<String, Double> served = new HashMap<>();
    for (int run = 0; run < runs; run++) {
      served.merge(serve(queue, cost), cost, Double::sum);
    }
    return served;
  }

  private static Account account(FairQueue queue, String tenant) {
    Account account = queue.account(tenant);
    assertNotNull(account);
    return account;
  }

  @Nested
  class WhenTenantsWait {
    @Test
    void servesThemInProportionToTheirWeights() {
      wants(queue, "acme", 1, MANY);
      wants(queue, "globex", 3, MANY);
      Map<String, Double> served = serveMany(queue, 4000, 7);
      assertEquals(
          3.0, served.getOrDefault("globex", 0.0) / served.getOrDefault("acme", 0.0), 0.01);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void keepsTheDifferenceOfServedCostWithinTwoOfTheLargestRuns(long seed) {
      Random random = new Random(seed);
      wants(queue, "acme", 1, MANY);
      wants(queue, "globex", 1 + random.nextInt(4), MANY);
      for (int run = 0; run < 5_000; run++) {
        serve(queue, 1 + random.nextInt(100));
        double difference = account(queue, "acme").counter - account(queue, "globex").counter;
        assertTrue(Math.abs(difference) <= 200, "run " + run + ": " + difference);
      }
    }

    @Test
    void starvesNobodyHoweverManyRequestsTheOthersSend() {
      wants(queue, "acme", 1, MANY);
      wants(queue, "globex", 1, 5);
      Map<String, Double> served = serveMany(queue, 10, 1);
      assertEquals(5.0, served.getOrDefault("globex", 0.0));
    }

    @Test
    void spreadsFreeSlotsAlthoughNoRunHasEnded() {
      wants(queue, "acme", 1, MANY);
      wants(queue, "globex", 1, MANY);
      Map<String, Integer> grants = new HashMap<>();
      queue.capacity(10);
      for (int slot = 0; slot < 10; slot++) {
        FairQueue.Pick pick = queue.next(false);
        assertNotNull(pick);
        queue.grant(pick);
        grants.merge(pick.tenant(), 1, Integer::sum);
      }
      assertEquals(Map.of("acme", 5, "globex", 5), grants);
    }

    @Test
    void spreadsThemEvenWhenNothingIsEstimated() {
      for (String tenant : new String[] {"acme", "globex"}) {
        queue.open(tenant);
        queue.demand(tenant, Terms.of(1), Backlog.of(2, 0));
      }
      FairQueue.Pick first = queue.next(false);
      assertNotNull(first);
      queue.grant(first);
      FairQueue.Pick second = queue.next(false);
      assertNotNull(second);
      assertFalse(first.tenant().equals(second.tenant()));
    }

    @Test
    void chargesTheActualCostOnceRunsAreOver() {
      wants(queue, "acme", 2, 1);
      serve(queue, 50);
      assertEquals(25, account(queue, "acme").counter);
      assertEquals(0, account(queue, "acme").unsettled);
    }
  }

  @Nested
  class WhenATenantReturns {
    /** Globex was idle while acme was served; then both want everything. */
    private double advantageOfTheIdle(FairQueue fairQueue) {
      wants(fairQueue, "globex", 1, 1);
      serve(fairQueue, 1);
      wants(fairQueue, "acme", 1, MANY);
      serveMany(fairQueue, 1_000, 10);
      wants(fairQueue, "globex", 1, MANY);
      Map<String, Double> served = serveMany(fairQueue, 100, 10);
      return served.getOrDefault("globex", 0.0) - served.getOrDefault("acme", 0.0);
    }

    @Test
    void givesItASmallCreditForIdlenessWhereThereIsOne() {
      FairQueue credited = new FairQueue(100, 30);
      wants(credited, "acme", 1, MANY);
      for (int run = 0; run < 100; run++) {
        serve(credited, 10);
      }
      wants(credited, "globex", 2, 1);
      assertEquals(
          account(credited, "acme").counter - 15, account(credited, "globex").counter, 1e-9);
    }

    @Test
    void givesManyThatComeAtOnceOneCreditEachAndNotTheSumOfThem() {
      FairQueue credited = new FairQueue(100, 30);
      wants(credited, "acme", 1, MANY);
      for (int run = 0; run < 100; run++) {
        serve(credited, 10);
      }
      double level = account(credited, "acme").counter;
      for (int newcomer = 0; newcomer < 20; newcomer++) {
        wants(credited, "newcomer-" + newcomer, 1, MANY);
        assertEquals(level - 30, account(credited, "newcomer-" + newcomer).counter, 1e-9);
      }
    }

    @Test
    void givesWhoComesAfterACreditedOneLeftNoMoreThanItsOwnCredit() {
      FairQueue credited = new FairQueue(100, 30);
      wants(credited, "acme", 1, 1);
      serve(credited, 100);
      for (int newcomer = 0; newcomer < 20; newcomer++) {
        wants(credited, "newcomer-" + newcomer, 1, 1);
        serve(credited, 1);
      }
      wants(credited, "globex", 1, 1);
      assertTrue(account(credited, "globex").counter >= 100 - 30 - 1e-9);
    }

    @Test
    void givesNoCreditToWhoNeverStopped() {
      FairQueue credited = new FairQueue(100, 30);
      wants(credited, "acme", 1, MANY);
      wants(credited, "globex", 1, MANY);
      for (int run = 0; run < 100; run++) {
        serve(credited, 10);
      }
      double before = account(credited, "globex").counter;
      wants(credited, "globex", 1, 0);
      wants(credited, "globex", 1, 1);
      assertEquals(before, account(credited, "globex").counter);
    }

    @Test
    void givesItNoCreditForIdleness() {
      assertEquals(0, advantageOfTheIdle(queue), 20);
    }

    @Test
    void wouldGiveItAllWithoutTheLift() {
      FairQueue withoutLift =
          new FairQueue(100) {
            @Override
            double lift() {
              return Double.NEGATIVE_INFINITY;
            }
          };
      double advantage = advantageOfTheIdle(withoutLift);
      assertThrows(AssertionError.class, () -> assertEquals(0, advantage, 20));
    }

    @Test
    void liftsItToTheLastThatLeftWhenNobodyWaits() {
      wants(queue, "acme", 1, 1);
      serve(queue, 500);
      wants(queue, "acme", 1, 1);
      serve(queue, 1);
      wants(queue, "globex", 1, 1);
      assertTrue(account(queue, "globex").counter >= 500);
    }

    @Test
    void leavesItsDebt() {
      wants(queue, "acme", 1, 1);
      wants(queue, "globex", 1, 2);
      double before = account(queue, "acme").counter;
      queue.settle("acme", 1_000, 0);
      queue.waiting("acme", 0, 0);
      queue.waiting("acme", 1, 0);
      assertTrue(account(queue, "acme").counter >= before + 1_000);
    }

    @Test
    void doesNotHoldTheUseOfAnIdlePoolAgainstIt() {
      wants(queue, "globex", 1, 1);
      serve(queue, 1);
      wants(queue, "acme", 1, 1);
      serve(queue, 1);
      queue.settle("acme", 1_000_000, 0);
      wants(queue, "globex", 1, MANY);
      wants(queue, "acme", 1, MANY);
      Map<String, Double> served = serveMany(queue, 100, 10);
      assertEquals(served.getOrDefault("acme", 0.0), served.getOrDefault("globex", 0.0), 20);
    }
  }

  @Nested
  class WithReservationsAndLimits {
    private void wantsWith(String tenant, int reservation, @Nullable Integer limit) {
      queue.open(tenant);
      queue.demand(tenant, new Terms(1, reservation, 0, limit), Backlog.of(MANY, 10));
    }

    private Map<String, Integer> fill(int slots) {
      Map<String, Integer> grants = new HashMap<>();
      queue.capacity(slots);
      for (int slot = 0; slot < slots; slot++) {
        FairQueue.Pick pick = queue.next(false);
        if (pick != null) {
          queue.grant(pick);
          grants.merge(pick.tenant(), 1, Integer::sum);
        }
      }
      return grants;
    }

    @Test
    void servesAReservationBeforeAllCounters() {
      wantsWith("acme", 0, null);
      wantsWith("globex", 3, null);
      queue.settle("globex", 1_000_000, 0);
      assertEquals(3, fill(10).get("globex"));
    }

    @Test
    void countsWhatAReservationServedApart() {
      wantsWith("globex", 3, null);
      double before = account(queue, "globex").counter;
      serve(queue, 40);
      assertEquals(before, account(queue, "globex").counter);
      assertEquals(40, account(queue, "globex").apart);
    }

    @Test
    void bindsAtMostFourFifthsOfTheCapacity() {
      wantsWith("globex", 100, null);
      wantsWith("acme", 0, null);
      queue.settle("globex", 1_000_000, 0);
      assertEquals(Map.of("globex", 8, "acme", 2), fill(10));
    }

    @Test
    void shrinksReservationsAlikeWhenTheyDoNotFit() {
      wantsWith("acme", 20, null);
      wantsWith("globex", 20, null);
      assertEquals(Map.of("globex", 5, "acme", 5), fill(10));
    }

    @Test
    void lendsWhatAReservationLeaves() {
      queue.open("globex");
      queue.demand("globex", new Terms(1, 5, 0, null), Backlog.of(0, 10));
      wantsWith("acme", 0, null);
      assertEquals(Map.of("acme", 10), fill(10));
    }

    @Test
    void neverPassesALimitAndLeavesTheRestToOthers() {
      wantsWith("acme", 0, 2);
      wantsWith("globex", 0, null);
      assertEquals(Map.of("acme", 2, "globex", 8), fill(10));
      queue.release("acme");
      queue.settle("globex", 10_000, 0);
      FairQueue.Pick pick = queue.next(false);
      assertNotNull(pick);
      assertEquals("acme", pick.tenant());
    }

    @Test
    void servesAShareOfThePoolBeforeAllCounters() {
      queue.open("globex");
      queue.demand("globex", new Terms(1, 0, 0.3, null), Backlog.of(MANY, 10));
      wantsWith("acme", 0, null);
      queue.settle("globex", 1_000_000, 0);
      assertEquals(Map.of("globex", 3, "acme", 7), fill(10));
    }

    @Test
    void measuresAShareByTheCapacityThatThereIs() {
      queue.open("globex");
      queue.demand("globex", new Terms(1, 0, 0.3, null), Backlog.of(MANY, 10));
      wantsWith("acme", 0, null);
      queue.settle("globex", 1_000_000, 0);
      queue.capacity(10);
      assertEquals(Map.of("globex", 6, "acme", 14), fill(20));
    }

    @Test
    void wantsNoMoreThanTheLimitsAllow() {
      wantsWith("acme", 0, 2);
      assertEquals(2, queue.wantsTotal());
    }
  }

  @Nested
  class WithSlotsForSmallRequests {
    private void wantsSmall(String tenant, int waiting, int small) {
      queue.open(tenant);
      queue.demand(tenant, Terms.of(1), new Backlog(waiting, 1_000, small, 20, 0, 0));
    }

    @Test
    void givesThemToTheSmallestCounterThatHasASmallRequest() {
      wantsSmall("acme", 5, 0);
      wantsSmall("globex", 5, 1);
      wantsSmall("other", 5, 1);
      queue.settle("other", 100, 0);
      FairQueue.Pick pick = queue.next(true);
      assertEquals(new FairQueue.Pick("globex", false, true), pick);
    }

    @Test
    void chargesTheSmallRequestsEstimate() {
      wantsSmall("acme", 5, 2);
      FairQueue.Pick pick = queue.next(true);
      assertNotNull(pick);
      assertEquals(20, queue.grant(pick));
      assertEquals(1, account(queue, "acme").waitingSmall);
      assertEquals(4, account(queue, "acme").waiting);
    }

    @Test
    void giveThemToNobodyWhenNothingSmallWaits() {
      wantsSmall("acme", 5, 1);
      FairQueue.Pick pick = queue.next(true);
      assertNotNull(pick);
      queue.grant(pick);
      assertNull(queue.next(true));
      assertNotNull(queue.next(false));
    }
  }

  @Nested
  class WhatATenantCanCountOn {
    private double expected(String tenant) {
      return queue.expectedSlots(account(queue, tenant));
    }

    @Test
    void isItsPartOfWhatTheContentOnesLeave() {
      queue.capacity(10);
      for (int other = 0; other < 20; other++) {
        wants(queue, "quiet-" + other, 5, 0);
      }
      queue.adopt("quiet-0");
      queue.adopt("quiet-1");
      wants(queue, "acme", 1, MANY);
      assertEquals(8, expected("acme"), "what the nearly idle do not hold is its own");
      wants(queue, "globex", 3, MANY);
      assertEquals(2, expected("acme"));
      assertEquals(6, expected("globex"));
    }

    @Test
    void isNeverMoreThanItsLimit() {
      queue.capacity(10);
      queue.open("acme");
      queue.demand("acme", new Terms(1, 0, 0, 3), Backlog.of(5, 10));
      assertEquals(3, expected("acme"));
      for (int slot = 0; slot < 3; slot++) {
        queue.adopt("acme");
      }
      assertEquals(3, expected("acme"), "at its limit it goes on with what it holds");
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4})
    void agreesWithASumOverAllTenantsWhateverHappened(long seed) {
      Random random = new Random(seed);
      queue.capacity(12);
      for (int step = 0; step < 3_000; step++) {
        String tenant = "t" + random.nextInt(12);
        queue.open(tenant);
        Account account = account(queue, tenant);
        switch (random.nextInt(4)) {
          case 0 -> wants(queue, tenant, 1 + random.nextInt(5), random.nextInt(4));
          case 1 -> queue.waiting(tenant, random.nextInt(4), 0);
          case 2 -> queue.adopt(tenant);
          default -> {
            if (account.held > 0) {
              queue.release(tenant);
            }
          }
        }
        double content = 0;
        double weights = 0;
        for (Account each : queue.accounts()) {
          content += each.wants() == 0 ? each.held : 0;
          weights += each.wants() > 0 ? each.weight : 0;
        }
        double oracle =
            account.wants() == 0
                ? account.held
                : Math.max(0, 12 - content) * account.weight / weights;
        assertEquals(oracle, expected(tenant), 1e-6, "step " + step);
      }
    }
  }

  @Nested
  class WhileARunIsOpen {
    @Test
    void chargesWhatItSpentBeyondTheEstimate() {
      wants(queue, "acme", 2, 1);
      FairQueue.Pick pick = queue.next(false);
      assertNotNull(pick);
      double charged = queue.grant(pick);
      assertEquals(5, charged);
      assertEquals(5, queue.progress("acme", charged, 8));
      charged = queue.progress("acme", charged, 30);
      assertEquals(15, charged);
      assertEquals(15, account(queue, "acme").counter);
      queue.refund("acme", charged);
      queue.settle("acme", 40, 0);
      assertEquals(20, account(queue, "acme").counter);
      assertEquals(0, account(queue, "acme").unsettled);
    }
  }

  @Nested
  class WhenItIsFull {
    @Test
    void forgetsTheIdleTenantWithTheLeastDebt() {
      for (String tenant : new String[] {"a", "b", "c"}) {
        wants(queue, tenant, 1, 0);
      }
      queue.settle("a", 30, 0);
      queue.settle("b", 20, 0);
      queue.settle("c", 40, 0);
      assertEquals("a", queue.evictIdle());
    }

    @Test
    void forgetsNobodyWhoWaitsOrHolds() {
      wants(queue, "acme", 1, 1);
      wants(queue, "globex", 1, 0);
      queue.adopt("globex");
      assertNull(queue.evictIdle());
    }

    @Test
    void knowsAWeightlessHolderUntilItsTermsCome() {
      queue.open("acme");
      queue.adopt("acme");
      queue.settle("acme", 90, 0);
      assertNull(queue.next(false));
      queue.demand("acme", Terms.of(3), Backlog.of(1, 10));
      assertEquals(30, account(queue, "acme").counter);
    }
  }
}
