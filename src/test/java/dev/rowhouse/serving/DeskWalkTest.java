package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.serving.Samples.Profile;
import dev.rowhouse.serving.Samples.Request;
import dev.rowhouse.tenant.Limits;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Walks a desk through random requests and checks after every step what must always hold. */
class DeskWalkTest {
  private static final int STEPS = 4_000;
  private static final List<String> POOLS = List.of("small", "large");

  /** The desk, and what the walk knows of it by itself. */
  private static final class World {
    final Desk desk;
    final long concurrentMax;
    final Map<String, InFlight> waiting = new HashMap<>();
    final Map<String, InFlight> running = new HashMap<>();
    final List<Spent> spent = new ArrayList<>();
    long now = Samples.NOW;

    World(long concurrentMax) {
      this.concurrentMax = concurrentMax;
      Profile profile = new Profile();
      profile.limits =
          new Limits(1_000L, 50_000L, concurrentMax, 100_000_000L, 1_000_000.0, concurrentMax / 2);
      desk = Samples.desk(profile.build());
    }

    boolean isQuiet() {
      return waiting.isEmpty() && running.isEmpty();
    }
  }

  /** What an attempt really used, in the second in which it was admitted. */
  private record Spent(long second, long tokens) {}

  /** Something that must hold after every step. */
  private interface Invariant {
    void check(World world);
  }

  private static final class ConcurrencyNeverOvershot implements Invariant {
    @Override
    public void check(World world) {
      int known = world.waiting.size() + world.running.size();
      assertEquals(known, world.desk.inFlightCount());
      assertTrue(known <= world.concurrentMax, () -> known + " in flight");
    }
  }

  private static final class WaitingCountIsTheQueues implements Invariant {
    @Override
    public void check(World world) {
      long queued = POOLS.stream().mapToInt(pool -> world.desk.waiting().size(pool)).sum();
      assertEquals(world.waiting.size(), queued);
      assertEquals(queued, world.desk.view("k1", world.now).queueLength().used());
    }
  }

  /** With nothing in flight nothing is reserved, and what counts is what was spent. */
  private static final class ReservationsNeverLeak implements Invariant {
    @Override
    public void check(World world) {
      LimitsView view = world.desk.view("k1", world.now);
      long total = world.spent.stream().mapToLong(Spent::tokens).sum();
      if (world.isQuiet()) {
        long second = Math.floorDiv(world.now, 1000L);
        long recent =
            world.spent.stream()
                .filter(one -> one.second() > second - 61)
                .mapToLong(Spent::tokens)
                .sum();
        assertEquals(recent, view.tokensPerMinute().used());
        assertEquals(total, row(view.tenant().tokensPerMonth()).used());
      } else {
        assertTrue(row(view.tenant().tokensPerMonth()).used() >= total);
      }
      assertTrue(view.tokensPerMinute().used() >= 0);
    }
  }

  private static final List<Invariant> INVARIANTS =
      List.of(
          new ConcurrencyNeverOvershot(),
          new WaitingCountIsTheQueues(),
          new ReservationsNeverLeak());

  private final ActorRef<Object> gateway = TestInbox.create().getRef();

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void holdsItsInvariants(long seed) {
    Random random = new Random(seed);
    World world = new World(2 + random.nextInt(20));
    int quiet = 0;
    for (int step = 0; step < STEPS; step++) {
      world.now += random.nextInt(1_000);
      // Now and then nothing new comes until all is settled.
      boolean draining = step % 400 > 300;
      step(world, random, draining);
      INVARIANTS.forEach(invariant -> invariant.check(world));
      quiet += world.isQuiet() ? 1 : 0;
    }
    assertTrue(quiet > 0, "the walk was never quiet");
  }

  private void step(World world, Random random, boolean draining) {
    switch (random.nextInt(draining ? 3 : 6)) {
      case 0 -> settleOne(world, random);
      case 1 -> leaveOne(world, random);
      case 2 -> nextOf(world, POOLS.get(random.nextInt(2)));
      case 3 -> requeueOne(world, random);
      default -> admitOne(world, random);
    }
  }

  private void admitOne(World world, Random random) {
    Request request = new Request();
    request.model = POOLS.get(random.nextInt(2));
    request.inputTokens = random.nextInt(500);
    request.outputTokensMax = random.nextBoolean() ? null : (long) random.nextInt(2_000);
    request.priority = random.nextInt(3);
    request.receivedAtMillis = world.now;
    request.deadlineMillis = world.now + random.nextInt(10_000);
    if (world.desk.admit(request.build(), gateway, world.now)
        instanceof Desk.Decision.Accepted accepted) {
      InFlight admitted = accepted.request();
      if (random.nextBoolean()) {
        admitted.running = true;
        world.running.put(admitted.attempt(), admitted);
      } else if (world.desk.noPlace(admitted, world.now) == null) {
        world.desk.waiting().enter(admitted);
        world.waiting.put(admitted.attempt(), admitted);
      } else {
        world.desk.leave(admitted.attempt(), world.now);
      }
    }
  }

  private static void nextOf(World world, String pool) {
    InFlight next = world.desk.waiting().next(pool, false, world.now);
    if (next != null) {
      world.waiting.remove(next.attempt());
      world.running.put(next.attempt(), next);
    }
  }

  private static void requeueOne(World world, Random random) {
    InFlight one = any(world.running, random);
    if (one != null && world.desk.noPlace(one, world.now) == null) {
      world.desk.waiting().enter(one);
      world.running.remove(one.attempt());
      world.waiting.put(one.attempt(), one);
    }
  }

  private static void leaveOne(World world, Random random) {
    InFlight one = any(random.nextBoolean() ? world.waiting : world.running, random);
    if (one != null) {
      world.desk.leave(one.attempt(), world.now);
      world.waiting.remove(one.attempt());
      world.running.remove(one.attempt());
    }
  }

  private static void settleOne(World world, Random random) {
    InFlight one = any(world.running, random);
    if (one != null) {
      long input = random.nextInt(4) == 0 ? 0 : random.nextInt(600);
      long output = random.nextInt(4) == 0 ? 0 : random.nextInt(900);
      world.desk.settle(
          Samples.spent(one.attempt(), input, output, input * 2 + output * 6), world.now);
      world.running.remove(one.attempt());
      // A run that outlived the window is not corrected in it any more, and counts in the month.
      world.spent.add(new Spent(Math.floorDiv(one.ask.receivedAtMillis(), 1000L), input + output));
    }
  }

  private static @Nullable InFlight any(Map<String, InFlight> of, Random random) {
    List<InFlight> all =
        of.values().stream().sorted((a, b) -> a.attempt().compareTo(b.attempt())).toList();
    return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
  }

  private static LimitsView.Row row(LimitsView.@Nullable Row row) {
    if (row == null) {
      throw new AssertionError("no such limit in the view");
    }
    return row;
  }
}
