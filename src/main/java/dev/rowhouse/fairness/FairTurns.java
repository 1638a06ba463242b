package dev.rowhouse.fairness;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One pool's turns on any clock: the {@link FairQueue} and what waits at its tenants, called as the
 * coordinator and its tenants call it. A grant charges an estimate, what a run has spent is charged
 * while it runs, and its end refunds and settles. Simulations and replays run it; the product's own
 * pools have the same queue behind tickets and messages.
 *
 * @param <R> what waits
 */
public final class FairTurns<R> {
  /** What waits at a tenant, oldest first. Who has left stays in line until it is met. */
  private static final class Line<R> {
    Terms terms = Terms.of(1);
    final ArrayDeque<Waiting<R>> all = new ArrayDeque<>();
    final ArrayDeque<Waiting<R>> small = new ArrayDeque<>();
    int count;
    int smallCount;
  }

  /** One that waits. */
  public static final class Waiting<R> {
    final String tenant;
    final R request;
    final double estimateCost;
    final boolean small;
    boolean gone;

    Waiting(String tenant, R request, double estimateCost, boolean small) {
      this.tenant = tenant;
      this.request = request;
      this.estimateCost = estimateCost;
      this.small = small;
    }

    public R request() {
      return request;
    }

    /** Whether it waits no more: it runs, or has left. */
    public boolean isGone() {
      return gone;
    }
  }

  /** Whose turn it is, and with what. */
  public static final class Turn<R> {
    private final FairQueue.Pick pick;
    private final Waiting<R> waiting;

    Turn(FairQueue.Pick pick, Waiting<R> waiting) {
      this.pick = pick;
      this.waiting = waiting;
    }

    public R request() {
      return waiting.request;
    }

    /** Whether its slot is one of those that are kept for small requests. */
    public boolean small() {
      return pick.small();
    }
  }

  /** One that runs. */
  public static final class Running<R> {
    private final Turn<R> turn;
    private double charge;

    Running(Turn<R> turn, double charge) {
      this.turn = turn;
      this.charge = charge;
    }

    public R request() {
      return turn.request();
    }

    public boolean small() {
      return turn.small();
    }
  }

  private final FairQueue queue;
  private final Map<String, Line<R>> lines = new HashMap<>();

  /**
   * Nobody waits.
   *
   * @param tenantsMax tenants that are remembered
   * @param creditCost what who starts to wait may have more than others, in weighted tokens
   */
  public FairTurns(int tenantsMax, double creditCost) {
    this.queue = new FairQueue(tenantsMax, creditCost);
  }

  /** How many slots there are; reservations are measured by it. */
  public void capacity(int slots) {
    queue.capacity(slots);
  }

  /** On what terms a tenant shares the pool, from now on. */
  public void terms(String tenant, Terms terms) {
    Line<R> line = line(tenant);
    line.terms = terms;
    queue.open(tenant);
    demand(tenant, line);
  }

  /**
   * A request has come.
   *
   * @param small whether it may have a slot that is kept for small ones
   */
  public Waiting<R> arrived(String tenant, R request, double estimateCost, boolean small) {
    Line<R> line = line(tenant);
    queue.open(tenant);
    Waiting<R> waiting = new Waiting<>(tenant, request, estimateCost, small);
    line.all.addLast(waiting);
    line.count++;
    if (small) {
      line.small.addLast(waiting);
      line.smallCount++;
    }
    demand(tenant, line);
    return waiting;
  }

  /** It waits no longer, and never ran. */
  public void left(Waiting<R> waiting) {
    if (!waiting.gone) {
      Line<R> line = line(waiting.tenant);
      remove(line, waiting);
      demand(waiting.tenant, line);
    }
  }

  public int waiting(String tenant) {
    Line<R> line = lines.get(tenant);
    return line == null ? 0 : line.count;
  }

  /**
   * Who would begin now; null when nobody may.
   *
   * @param smallOnly whether what is left is kept for small requests
   */
  public @Nullable Turn<R> next(boolean smallOnly) {
    FairQueue.Pick pick = queue.next(smallOnly);
    if (pick == null) {
      return null;
    }
    Line<R> line = line(pick.tenant());
    Waiting<R> first = first(pick.small() ? line.small : line.all);
    return first == null ? null : new Turn<>(pick, first);
  }

  /** It begins to run. */
  public Running<R> begin(Turn<R> turn) {
    Line<R> line = line(turn.waiting.tenant);
    double charge = queue.grant(turn.pick);
    remove(line, turn.waiting);
    demand(turn.waiting.tenant, line);
    return new Running<>(turn, charge);
  }

  /** It has spent so much by now. */
  public void progress(Running<R> running, double spentCost) {
    running.charge = queue.progress(running.turn.waiting.tenant, running.charge, spentCost);
  }

  /** It is over. */
  public void end(Running<R> running, double spentCost) {
    String tenant = running.turn.waiting.tenant;
    queue.refund(tenant, running.charge);
    queue.release(tenant);
    queue.settle(tenant, spentCost, running.turn.pick.reserved() ? 1 : 0);
  }

  private void remove(Line<R> line, Waiting<R> waiting) {
    waiting.gone = true;
    line.count--;
    line.smallCount -= waiting.small ? 1 : 0;
  }

  private void demand(String tenant, Line<R> line) {
    Waiting<R> head = first(line.all);
    Waiting<R> small = first(line.small);
    queue.demand(
        tenant,
        line.terms,
        new Backlog(
            line.count,
            head == null ? 0 : head.estimateCost,
            line.smallCount,
            small == null ? 0 : small.estimateCost,
            0,
            0));
  }

  private static <R> @Nullable Waiting<R> first(ArrayDeque<Waiting<R>> line) {
    Waiting<R> first = line.peekFirst();
    while (first != null && first.gone) {
      line.removeFirst();
      first = line.peekFirst();
    }
    return first;
  }

  private Line<R> line(String tenant) {
    return lines.computeIfAbsent(tenant, _ -> new Line<>());
  }
}
