package dev.rowhouse.fairness;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The tenant's side of slots: which tickets it has, which it used. Not thread-safe; it lives in the
 * tenant's actor.
 *
 * <p>How the actor uses it: {@link #offer} on Held, {@link #withdrawn} on Withdrawn, {@link #take}
 * when a request wants to run, {@link #finished} when that request is over (or was refused, or
 * never started), {@link #demand} for the coordinator on every change and each second while {@code
 * pending > 0}, {@link #returnAll} before it stops.
 */
public final class SlotUser {

  /**
   * Slots remembered per tenant. The oldest is forgotten above it; a repeat of a used ticket could
   * then be taken for a new one, which the worker refuses. 4,096 slots of one tenant are far beyond
   * any node count that was planned for.
   */
  static final int SLOTS_MAX = 4_096;

  /**
   * A ticket and the worker that minted it.
   *
   * @param small whether it is for a small request only
   */
  public record HeldTicket(SlotTicket ticket, ActorRef<SlotOwner> worker, boolean small) {}

  private static final ArrayDeque<HeldTicket> NONE = new ArrayDeque<>(0);

  private record SlotKey(String pool, String worker, int slot) {}

  private enum Use {
    IDLE,
    IN_USE,
    GONE
  }

  private record Known(HeldTicket held, Use use) {}

  private final String tenant;
  private final long incarnation;
  private final ActorRef<SlotHolder> self;
  private final SequencedMap<SlotKey, Known> slots = new LinkedHashMap<>();
  private final Map<String, ArrayDeque<HeldTicket>> idle = new HashMap<>();
  private final Map<String, Integer> held = new HashMap<>();
  private long version;

  /**
   * Without any ticket.
   *
   * @param incarnation which start of the tenant's actor this is; a later one is larger
   * @param self the address that tickets come to
   */
  public SlotUser(String tenant, long incarnation, ActorRef<SlotHolder> self) {
    this.tenant = tenant;
    this.incarnation = incarnation;
    this.self = self;
  }

  public String tenant() {
    return tenant;
  }

  /** A worker says that this ticket is ours; false for a repeat, or one overtaken by a later. */
  public boolean offer(SlotHolder.Held message) {
    SlotTicket ticket = message.ticket();
    SlotKey key = keyOf(ticket);
    Known known = slots.get(key);
    if (known != null && !isLater(ticket, known.held().ticket())) {
      return false;
    }
    put(key, new Known(new HeldTicket(ticket, message.worker(), message.small()), Use.IDLE));
    return true;
  }

  /**
   * A ticket to start one request with, if there is one.
   *
   * @param small whether the request is small, so that it may have any; one for small requests goes
   *     first then
   */
  public @Nullable HeldTicket take(String pool, boolean small) {
    HeldTicket next = null;
    for (HeldTicket ticket : idle.getOrDefault(pool, NONE)) {
      if (ticket.small() == small) {
        next = ticket;
        break;
      }
      if (small && next == null) {
        next = ticket;
      }
    }
    if (next != null) {
      put(keyOf(next.ticket()), new Known(next, Use.IN_USE));
    }
    return next;
  }

  /** Gives up one ticket if it is unused; the caller sends a Return for it then. */
  public boolean giveUp(HeldTicket ticket) {
    return end(ticket.ticket(), Use.IDLE);
  }

  /** The worker took the slot back; a request already sent with the ticket will be refused. */
  public void withdrawn(SlotTicket ticket) {
    end(ticket, Use.IDLE);
  }

  /**
   * The request that used this ticket is over, was refused, or was never started. Until the worker
   * sends the next ticket of that slot, it is not ours.
   */
  public void finished(SlotTicket ticket) {
    end(ticket, Use.IN_USE);
  }

  public int idle(String pool) {
    ArrayDeque<HeldTicket> tickets = idle.get(pool);
    return tickets == null ? 0 : tickets.size();
  }

  /** Slots that are ours as far as we know, idle or in use. */
  public int held(String pool) {
    return held.getOrDefault(pool, 0);
  }

  /** Whether there is nothing to return and nothing in use. */
  public boolean isEmpty() {
    return held.isEmpty();
  }

  /** The whole demand for one pool, with a version of its own. */
  public FairnessCoordinator.Demand demand(String pool, Terms terms, Backlog backlog) {
    version++;
    return new FairnessCoordinator.Demand(
        tenant, incarnation, version, pool, terms, backlog, held(pool), self);
  }

  /** Gives up every unused ticket; the caller sends a Return for each. */
  public List<HeldTicket> returnAll() {
    List<HeldTicket> tickets = new ArrayList<>();
    idle.values().forEach(tickets::addAll);
    tickets.forEach(ticket -> end(ticket.ticket(), Use.IDLE));
    return tickets;
  }

  private boolean end(SlotTicket ticket, Use from) {
    Known known = slots.get(keyOf(ticket));
    if (known == null || known.use() != from || !known.held().ticket().equals(ticket)) {
      return false;
    }
    put(keyOf(ticket), new Known(known.held(), Use.GONE));
    return true;
  }

  private void put(SlotKey key, Known next) {
    forget(key);
    slots.put(key, next);
    if (next.use() == Use.IDLE) {
      idle.computeIfAbsent(key.pool(), _ -> new ArrayDeque<>()).addLast(next.held());
    }
    if (next.use() != Use.GONE) {
      held.merge(key.pool(), 1, Integer::sum);
    }
    while (slots.size() > SLOTS_MAX) {
      forget(slots.firstEntry().getKey());
    }
  }

  private void forget(SlotKey key) {
    Known known = slots.remove(key);
    if (known == null) {
      return;
    }
    if (known.use() == Use.IDLE) {
      idle.computeIfPresent(
          key.pool(),
          (pool, tickets) -> {
            tickets.remove(known.held());
            return tickets.isEmpty() ? null : tickets;
          });
    }
    if (known.use() != Use.GONE) {
      held.computeIfPresent(key.pool(), (pool, count) -> count == 1 ? null : count - 1);
    }
  }

  private static SlotKey keyOf(SlotTicket ticket) {
    return new SlotKey(ticket.pool(), ticket.worker(), ticket.slot());
  }

  private static boolean isLater(SlotTicket one, SlotTicket other) {
    return one.incarnation() != other.incarnation()
        ? one.incarnation() > other.incarnation()
        : one.seq() > other.seq();
  }
}
