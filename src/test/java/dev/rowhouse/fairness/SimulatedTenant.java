package dev.rowhouse.fairness;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** A tenant of the simulation: its load, and the real use of slots. */
final class SimulatedTenant extends SimulatedParty {
  /** After so long without an answer the tenant takes a request for lost. */
  private static final long LOST_MILLIS = 4_000;

  private record Sent(Request request, SlotUser.HeldTicket held) {}

  final String name;
  final SimulatedLoad load;
  private ActorRef<SlotHolder> holder;
  private SlotUser slots;
  private long incarnation = 1;
  private final Deque<Request> waiting = new ArrayDeque<>();
  private final Map<String, Sent> sent = new HashMap<>();
  private long attempts;

  /** Since when something waits, and nothing was started meanwhile; -1: nothing waits. */
  private long headSinceMillis = -1;

  SimulatedTenant(FairnessSimulation world, String name, SimulatedLoad load) {
    super(world);
    this.name = name;
    this.load = load;
    this.holder = world.nextHolder();
    this.slots = new SlotUser(name, incarnation, holder);
  }

  void start() {
    for (SimulatedLoad.Burst burst : load.bursts()) {
      // Clients do not pause with the process.
      world.at(burst.atMillis(), () -> deliver(() -> arrive(burst.requests())));
    }
    beat();
  }

  private void arrive(int requests) {
    for (int request = 0; request < requests; request++) {
      waiting.add(load.next(nextAttempt(), world.random, world.nowMillis()));
    }
    serve();
    demand();
  }

  /** Its shard moves: requests begin anew, tickets of the one before reach nobody. */
  void restart() {
    goDown();
    goUp();
    ActorRef<SlotHolder> before = holder;
    incarnation++;
    holder = world.nextHolder();
    slots = new SlotUser(name, incarnation, holder);
    List<Request> open = new ArrayList<>(waiting);
    sent.values().forEach(request -> open.add(request.request()));
    waiting.clear();
    sent.clear();
    open.forEach(request -> waiting.add(request.again(nextAttempt())));
    world.holderGone(before);
    beat();
  }

  ActorRef<SlotHolder> holder() {
    return holder;
  }

  int unfinished() {
    return waiting.size() + sent.size();
  }

  /** How many more slots it could use. */
  long wants() {
    Integer limit = load.limit();
    return Math.min(
        waiting.size(), limit == null ? Integer.MAX_VALUE : Math.max(0, limit - sent.size()));
  }

  /** For how long it has waited without a start; 0 when nothing waits. */
  long headWaitMillis() {
    return headSinceMillis < 0 ? 0 : world.nowMillis() - headSinceMillis;
  }

  boolean hasSmall() {
    return waiting.stream().anyMatch(Request::small);
  }

  void held(SlotHolder.Held held) {
    deliver(
        () -> {
          if (slots.offer(held)) {
            serve();
            SlotUser.HeldTicket ticket =
                new SlotUser.HeldTicket(held.ticket(), held.worker(), held.small());
            if (held.small() && slots.giveUp(ticket)) {
              giveBack(ticket);
            }
          }
        });
  }

  void withdrawn(SlotTicket ticket) {
    deliver(() -> slots.withdrawn(ticket));
  }

  void refused(String attempt, SlotTicket ticket) {
    deliver(
        () -> {
          Sent request = open(attempt, ticket);
          if (request != null) {
            sent.remove(attempt);
            slots.finished(ticket);
            waiting.addFirst(request.request());
            serve();
            demand();
          }
        });
  }

  void ended(String attempt, SlotTicket ticket) {
    deliver(
        () -> {
          if (open(attempt, ticket) != null) {
            sent.remove(attempt);
            slots.finished(ticket);
          }
        });
  }

  private @Nullable Sent open(String attempt, SlotTicket ticket) {
    Sent used = sent.get(attempt);
    return used != null && used.held().ticket().equals(ticket) ? used : null;
  }

  private void serve() {
    boolean changed = false;
    Request next = waiting.peekFirst();
    while (next != null) {
      SlotUser.HeldTicket held = slots.take(FairnessSimulation.POOL, next.small());
      if (held == null && !next.small() && hasSmall()) {
        next = waiting.stream().filter(Request::small).findFirst().orElseThrow();
        held = slots.take(FairnessSimulation.POOL, true);
      }
      if (held == null) {
        break;
      }
      waiting.remove(next);
      send(next, held);
      changed = true;
      headSinceMillis = -1;
      next = waiting.peekFirst();
    }
    if (waiting.isEmpty()) {
      headSinceMillis = -1;
    } else if (headSinceMillis < 0) {
      headSinceMillis = world.nowMillis();
    }
    if (changed) {
      demand();
    }
  }

  private void send(Request request, SlotUser.HeldTicket held) {
    SlotTicket ticket = held.ticket();
    sent.put(request.attempt(), new Sent(request, held));
    world.network(() -> world.workerOf(ticket).start(held.worker(), ticket, this, request));
    after(LOST_MILLIS, () -> lost(request.attempt(), held));
  }

  /** Neither end nor refusal came. A new attempt is made, and the ticket goes back. */
  private void lost(String attempt, SlotUser.HeldTicket held) {
    Sent request = open(attempt, held.ticket());
    if (request != null) {
      sent.remove(attempt);
      slots.finished(held.ticket());
      giveBack(held);
      waiting.addFirst(request.request().again(nextAttempt()));
      serve();
      demand();
    }
  }

  private void giveBack(SlotUser.HeldTicket held) {
    world.network(
        () -> world.workerOf(held.ticket()).on(held.worker(), new SlotOwner.Return(held.ticket())));
  }

  private void beat() {
    if (!waiting.isEmpty()) {
      demand();
    }
    after(1_000, this::beat);
  }

  private void demand() {
    int small = (int) waiting.stream().filter(Request::small).count();
    double smallEstimate =
        waiting.stream()
            .filter(Request::small)
            .mapToDouble(Request::estimate)
            .findFirst()
            .orElse(0);
    Request head = waiting.peekFirst();
    Backlog backlog =
        new Backlog(waiting.size(), head == null ? 0 : head.estimate(), small, smallEstimate, 0, 0);
    world.toCoordinator(this, slots.demand(FairnessSimulation.POOL, load.terms(), backlog));
  }

  private String nextAttempt() {
    attempts++;
    return name + "-" + attempts;
  }
}
