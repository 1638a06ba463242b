package dev.rowhouse.fairness;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** A tenant of the simulation: bursts of requests, the real use of slots. */
final class SimulatedTenant {
  /** After so long without an answer the tenant takes a request for lost. */
  private static final long LOST_MILLIS = 4_000;

  final String name;
  private final FairnessSimulation world;
  private final double weight;
  private final int reservation;
  private final @Nullable Integer limit;
  private ActorRef<SlotHolder> holder;
  private SlotUser slots;
  private long incarnation = 1;
  private final Deque<String> waiting = new ArrayDeque<>();
  private final Map<String, SlotUser.HeldTicket> sent = new HashMap<>();
  private long attempts;

  SimulatedTenant(FairnessSimulation world, String name) {
    this.world = world;
    this.name = name;
    this.weight = 1 + world.random.nextInt(4);
    this.reservation = world.random.nextInt(4) == 0 ? 1 : 0;
    this.limit = world.random.nextInt(4) == 0 ? 1 + world.random.nextInt(2) : null;
    this.holder = world.nextHolder();
    this.slots = new SlotUser(name, incarnation, holder);
  }

  void start() {
    int bursts = 1 + world.random.nextInt(5);
    for (int burst = 0; burst < bursts; burst++) {
      int requests = 1 + world.random.nextInt(8);
      world.after(
          world.random.nextInt((int) FairnessSimulation.CHAOS_MILLIS),
          () -> {
            for (int request = 0; request < requests; request++) {
              waiting.add(nextAttempt());
            }
            serve();
            demand();
          });
    }
    beat();
  }

  /** Its shard moves: requests begin anew, tickets of the one before reach nobody. */
  void restart() {
    ActorRef<SlotHolder> before = holder;
    incarnation++;
    holder = world.nextHolder();
    slots = new SlotUser(name, incarnation, holder);
    int open = unfinished();
    waiting.clear();
    sent.clear();
    for (int request = 0; request < open; request++) {
      waiting.add(nextAttempt());
    }
    world.holderGone(before);
    demand();
  }

  ActorRef<SlotHolder> holder() {
    return holder;
  }

  int unfinished() {
    return waiting.size() + sent.size();
  }

  void held(SlotHolder.Held held) {
    if (slots.offer(held)) {
      serve();
    }
  }

  void withdrawn(SlotTicket ticket) {
    slots.withdrawn(ticket);
  }

  void refused(String attempt, SlotTicket ticket) {
    if (isOpen(attempt, ticket)) {
      sent.remove(attempt);
      slots.finished(ticket);
      waiting.addFirst(attempt);
      serve();
      demand();
    }
  }

  void ended(String attempt, SlotTicket ticket) {
    if (isOpen(attempt, ticket)) {
      sent.remove(attempt);
      slots.finished(ticket);
    }
  }

  private boolean isOpen(String attempt, SlotTicket ticket) {
    SlotUser.HeldTicket used = sent.get(attempt);
    return used != null && used.ticket().equals(ticket);
  }

  private void serve() {
    boolean changed = false;
    while (!waiting.isEmpty()) {
      SlotUser.HeldTicket held = slots.take(FairnessSimulation.POOL, false);
      if (held == null) {
        break;
      }
      send(waiting.removeFirst(), held);
      changed = true;
    }
    if (changed) {
      demand();
    }
  }

  private void send(String attempt, SlotUser.HeldTicket held) {
    SlotTicket ticket = held.ticket();
    sent.put(attempt, held);
    long costTokens = 1L + world.random.nextInt(200);
    world.network(() -> world.workerOf(ticket).start(ticket, this, attempt, costTokens));
    world.after(LOST_MILLIS, () -> lost(attempt, ticket));
  }

  /** Neither end nor refusal came. A new attempt is made, and the ticket goes back. */
  private void lost(String attempt, SlotTicket ticket) {
    if (isOpen(attempt, ticket)) {
      sent.remove(attempt);
      slots.finished(ticket);
      world.network(() -> world.workerOf(ticket).on(new SlotOwner.Return(ticket)));
      waiting.addFirst(nextAttempt());
      serve();
      demand();
    }
  }

  private void beat() {
    if (!waiting.isEmpty()) {
      demand();
    }
    world.after(1_000, this::beat);
  }

  private void demand() {
    world.toCoordinator(
        slots.demand(
            FairnessSimulation.POOL,
            new Terms(weight, reservation, 0, limit),
            Backlog.of(waiting.size(), 100)));
  }

  private String nextAttempt() {
    attempts++;
    return name + "-" + attempts;
  }
}
