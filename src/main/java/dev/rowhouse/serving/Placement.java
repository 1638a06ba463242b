package dev.rowhouse.serving;

import dev.rowhouse.fairness.Backlog;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.fairness.SlotUser;
import dev.rowhouse.usage.StartedEntry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Where a tenant's admitted requests are: at a slot, or at a place in the queue until one comes.
 * {@link Desk} says who may, {@link SlotUser} keeps the tickets; this brings the two together and
 * tells the coordinator what waits.
 */
final class Placement {
  private final SlotUser slots;
  private final Orders orders;
  private final LedgerLine line;
  private final ActorRef<FairnessCoordinator.Command> coordinator;
  private final Map<String, Integer> demanded = new HashMap<>();

  Placement(
      SlotUser slots,
      Orders orders,
      LedgerLine line,
      ActorRef<FairnessCoordinator.Command> coordinator) {
    this.slots = slots;
    this.orders = orders;
    this.line = line;
    this.coordinator = coordinator;
  }

  /** Gives a new request a slot that is at hand, or a place in the queue, or a no. */
  void place(InFlight request, Desk desk, long now) {
    if (startAtOnce(request, desk, now)) {
      return;
    }
    InFlight elsewhere = desk.elsewhere(request, now);
    if (elsewhere != null) {
      place(elsewhere, desk, now);
      return;
    }
    Refusal no = desk.noPlace(request, now);
    if (no != null) {
      desk.withdraw(request, now);
      request.gateway.tell(new Verdict.No(no, desk.view(request, now)));
      return;
    }
    enqueue(request, desk, now);
  }

  /** The same for one that had a place before: no full queue refuses it. */
  void placeAgain(InFlight request, Desk desk, long now) {
    if (!startAtOnce(request, desk, now)) {
      enqueue(request, desk, now);
    }
  }

  /** The place that it had with an earlier incarnation: its run, or its turn in the queue. */
  void adopt(InFlight request, Verdict.@Nullable Go go, Desk desk, long now) {
    if (go != null) {
      request.running = true;
      request.go = go;
    } else {
      enqueue(request, desk, now);
    }
  }

  /** How it stands with an admitted request. */
  Verdict verdict(InFlight request, Desk desk, long now) {
    Verdict.Go go = request.go;
    return go != null
        ? go
        : new Verdict.Waiting(desk.waiting().size(request.pool()) - 1, desk.view(request, now));
  }

  /**
   * A word about slots.
   *
   * @param desk absent: this tenant takes no slots now
   */
  void onSlot(SlotHolder word, @Nullable Desk desk, long now) {
    switch (word) {
      case SlotHolder.Held held -> onHeld(held, desk, now);
      case SlotHolder.Withdrawn withdrawn -> slots.withdrawn(withdrawn.ticket());
      case SlotHolder.Outlook outlook -> {
        if (desk != null) {
          onOutlook(outlook, desk, now);
        }
      }
    }
  }

  private void onHeld(SlotHolder.Held held, @Nullable Desk desk, long now) {
    String pool = held.ticket().pool();
    if (!slots.offer(held)) {
      return;
    }
    if (desk == null) {
      returnTickets();
      return;
    }
    WaitingRoom waiting = desk.waiting();
    if (waiting.size(pool) > 0) {
      InFlight next = waiting.next(pool, held.small(), now);
      SlotUser.HeldTicket ticket = next == null ? null : slots.take(pool, next.isSmall);
      if (next != null && ticket != null) {
        go(next, ticket, desk, now);
      }
      if (waiting.size(pool) == 0) {
        demand(pool, desk, now);
      }
    }
    if (held.small()) {
      // Nothing small waits any more, and a large request may not have it.
      returnTicket(new SlotUser.HeldTicket(held.ticket(), held.worker(), true));
    }
  }

  private void onOutlook(SlotHolder.Outlook outlook, Desk desk, long now) {
    desk.waiting().outlook(outlook, now);
    if (outlook.slots() == 0) {
      moveOn(outlook.pool(), desk, now);
    }
  }

  /** Nobody serves that pool: whoever has a model to fall back to does not wait for it. */
  private void moveOn(String pool, Desk desk, long now) {
    boolean moved = false;
    for (InFlight request : desk.waiting().requests(pool)) {
      InFlight elsewhere = desk.elsewhere(request, now);
      if (elsewhere != null) {
        placeAgain(elsewhere, desk, now);
        moved = true;
      }
    }
    if (moved) {
      demand(pool, desk, now);
    }
  }

  /** The request ends without a run, or its run is none of ours any more. */
  void leave(String attempt, Desk desk, long now) {
    InFlight request = desk.leave(attempt, now);
    if (request != null) {
      Verdict.Go go = request.go;
      if (go != null) {
        go.worker().tell(new SlotOwner.Return(go.ticket()));
        slots.finished(go.ticket());
      }
      demand(request.pool(), desk, now);
    }
  }

  /** The worker did not take the ticket: the request waits for another one. */
  void requeue(String attempt, Desk desk, long now) {
    InFlight request = desk.find(attempt);
    if (request != null && request.running) {
      finished(request);
      request.go = null;
      request.running = false;
      placeAgain(request, desk, now);
    }
  }

  /** The worker of that ticket is gone, and with it all that it minted. */
  void lost(SlotTicket ticket) {
    slots.finished(ticket);
    giveBack(slots.returnOf(ticket));
  }

  /** The run of that request is over. */
  void finished(InFlight request) {
    if (request.go != null) {
      slots.finished(request.go.ticket());
    }
  }

  /** Tells the coordinator again what waits. */
  void demandAll(Desk desk, long now) {
    for (String pool : desk.waiting().pools()) {
      demand(pool, desk, now);
    }
  }

  /** Gives back all that is not in use. */
  void returnTickets() {
    giveBack(slots.returnAll());
  }

  private boolean startAtOnce(InFlight request, Desk desk, long now) {
    SlotUser.HeldTicket held = slots.take(request.pool(), request.isSmall);
    if (held != null) {
      go(request, held, desk, now);
    }
    return held != null;
  }

  private void enqueue(InFlight request, Desk desk, long now) {
    desk.waiting().enter(request);
    request.gateway.tell(verdict(request, desk, now));
    demand(request.pool(), desk, now);
  }

  private void go(InFlight request, SlotUser.HeldTicket held, Desk desk, long now) {
    request.running = true;
    Verdict.Go go =
        new Verdict.Go(
            orders.order(request, desk.profile(), now),
            held.ticket(),
            held.worker(),
            desk.view(request, now));
    request.go = go;
    line.started(
        new StartedEntry(
            request.attempt(),
            request.ask.receivedAtMillis(),
            request.ask.key().keyId(),
            go.order().modelAsked(),
            request.reservedTokens),
        now);
    request.gateway.tell(go);
  }

  private void demand(String pool, Desk desk, long now) {
    Backlog backlog = desk.waiting().backlog(pool, now);
    Integer last =
        backlog.pending() == 0 ? demanded.remove(pool) : demanded.put(pool, backlog.pending());
    if (backlog.pending() > 0 || last != null) {
      coordinator.tell(slots.demand(pool, desk.terms(pool), backlog));
    }
  }

  private static void giveBack(List<SlotUser.HeldTicket> tickets) {
    tickets.forEach(held -> held.worker().tell(new SlotOwner.Return(held.ticket())));
  }

  /** Gives an unused ticket back; nothing happens when it is in use. */
  private void returnTicket(SlotUser.HeldTicket held) {
    if (slots.giveUp(held)) {
      held.worker().tell(new SlotOwner.Return(held.ticket()));
    }
  }
}
