package dev.rowhouse.fairness;

import dev.rowhouse.fairness.SimulationInvariants.Broken;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The bound on unfairness, as an oracle: for tenants f and g that the one coordinator sees waiting
 * throughout an interval, without limit or reservation, what they were served (S, at the end of
 * each run, whoever knows of it) over their weights differs within the interval by no more than
 *
 * <pre>
 *   (E_f + K_f*U_f)/w_f + K_h*O_h/w_h + (E_g + K_g*U_g)/w_g + K_f*O_f/w_f
 *     + K_f*(E_f+Q)/w_f + K_g*(E_g+Q)/w_g
 * </pre>
 *
 * or the same with f and g exchanged; h is any other than f, and is g when they are alone: who
 * starts to wait is lifted to the least counter, and that may be a third tenant's.
 *
 * <p>E the largest charge at a grant, K the most slots held, U and O the largest under- and
 * over-estimate of a run (a run in a kept slot is charged nothing at first), and Q the largest cost
 * of a slot in which the coordinator had no say: it has not been told, or the runs are those of a
 * kept slot before its recall arrived. All as they really were since the epoch began: who is ahead
 * when the interval begins got there by earlier runs.
 *
 * <p>An interval is every part of the time of joint waiting, so the difference that counts is that
 * of its largest and its smallest value.
 */
final class FairnessBound {

  /** Rounding of sums of costs over weights. */
  private static final double EPSILON = 1e-6;

  /** Runs of each that an interval has at least to be reported: one run is near any bound. */
  private static final int RUNS_MIN = 10;

  /** The most that was seen of one tenant in this epoch. */
  private static final class Side {
    final double weight;
    double charge;
    double under;
    double over;
    double unreported;
    int held;
    long runs;

    /** What each kept slot has cost since it was granted. */
    final Map<SlotId, Double> kept = new HashMap<>();

    Side(double weight) {
      this.weight = weight;
    }

    /** How far its counter can be above the least one by its own doing. */
    double ahead() {
      return (charge + held * under) / weight;
    }

    /** How far its counter can fall below another's when estimates are refunded. */
    double behind() {
      return held * over / weight;
    }
  }

  private static final class Pair {
    final SimulatedTenant one;
    final SimulatedTenant other;
    final Side oneSide;
    final Side otherSide;
    boolean open;
    double least;
    double most;
    long oneRuns;
    long otherRuns;

    Pair(SimulatedTenant one, SimulatedTenant other, Side oneSide, Side otherSide) {
      this.one = one;
      this.other = other;
      this.oneSide = oneSide;
      this.otherSide = otherSide;
    }

    boolean tells() {
      return oneSide.runs - oneRuns >= RUNS_MIN && otherSide.runs - otherRuns >= RUNS_MIN;
    }
  }

  private record SlotId(String worker, long incarnation, int slot) {
    static SlotId of(SlotTicket ticket) {
      return new SlotId(ticket.worker(), ticket.incarnation(), ticket.slot());
    }
  }

  private record TableId(String worker, long incarnation, long version) {}

  private record Unreported(long number, double cost) {}

  private final FairnessSimulation world;
  private final List<Pair> pairs = new ArrayList<>();
  private final Map<String, Side> sides = new HashMap<>();
  private final Map<SlotTicket, Double> estimates = new HashMap<>();
  private final Map<SlotId, List<Unreported>> unreported = new LinkedHashMap<>();
  private final Map<TableId, Long> tables = new HashMap<>();
  private long finishes;
  private double tightest;
  private String tightestHow = "";

  FairnessBound(FairnessSimulation world) {
    this.world = world;
  }

  /** The largest difference over its bound, of all pairs so far. */
  double tightest() {
    return tightest;
  }

  String tightestHow() {
    return tightestHow;
  }

  private double bound(Pair pair) {
    Side f = pair.oneSide;
    Side g = pair.otherSide;
    double q = Math.max(f.unreported, g.unreported);
    double credit = FairnessSimulation.SETTINGS.liftCreditCost();
    return f.ahead()
        + g.ahead()
        + Math.max(behindOfOthers(f) + f.behind(), behindOfOthers(g) + g.behind())
        + f.held * (f.charge + q) / f.weight
        + g.held * (g.charge + q) / g.weight
        + credit / f.weight
        + credit / g.weight;
  }

  private double behindOfOthers(Side side) {
    double most = 0;
    for (Side other : sides.values()) {
      if (!other.equals(side)) {
        most = Math.max(most, other.behind());
      }
    }
    return most;
  }

  /** Before anything happens. */
  void begin() {
    for (SimulatedTenant tenant : world.tenants) {
      sides.put(tenant.name, new Side(tenant.load.terms().weight()));
    }
    for (SimulatedTenant one : world.tenants) {
      for (SimulatedTenant other : world.tenants) {
        if (one.name.compareTo(other.name) < 0) {
          pairs.add(new Pair(one, other, side(one.name), side(other.name)));
        }
      }
    }
  }

  private Side side(String tenant) {
    return Objects.requireNonNull(sides.get(tenant));
  }

  /** After a step of the coordinator. */
  void observe(CoordinatorState state, List<PoolState.Send> sends) {
    if (pairs.isEmpty() || state.pools().isEmpty()) {
      return;
    }
    PoolState pool = state.pools().iterator().next();
    for (PoolState.Send send : sends) {
      if (send.command() instanceof SlotOwner.Grant grant) {
        granted(pool, send.worker(), grant);
      }
    }
    for (Account account : pool.queue().accounts()) {
      Side side = side(account.tenant);
      side.held = Math.max(side.held, account.held);
    }
    for (Pair pair : pairs) {
      boolean wait = waits(pool, pair.one) && waits(pool, pair.other);
      if (wait && !pair.open) {
        pair.least = difference(pair);
        pair.most = pair.least;
        pair.oneRuns = pair.oneSide.runs;
        pair.otherRuns = pair.otherSide.runs;
      }
      pair.open = wait;
    }
  }

  private static boolean waits(PoolState pool, SimulatedTenant tenant) {
    Account account = pool.queue().account(tenant.name);
    return account != null && account.wants() > 0;
  }

  private void granted(PoolState pool, ActorRef<SlotOwner> worker, SlotOwner.Grant grant) {
    pool.workers()
        .slots()
        .filter(slot -> slot.worker.ref.equals(worker) && slot.index == grant.slot())
        .filter(slot -> slot.seq == grant.seq())
        .forEach(
            slot -> {
              Side side = side(grant.tenant());
              double cost = slot.charge * side.weight;
              PoolWorker owner = slot.worker;
              SlotTicket ticket =
                  new SlotTicket(
                      grant.pool(), owner.name, owner.incarnation, grant.slot(), grant.seq());
              estimates.put(ticket, cost);
              side.charge = Math.max(side.charge, cost);
              side.kept.remove(SlotId.of(ticket));
            });
  }

  /** Its progress counts before it ends, so by how much it was misjudged counts from its start. */
  void started(SimulatedTenant tenant, SlotTicket ticket, double cost) {
    if (!pairs.isEmpty()) {
      double estimated = estimates.getOrDefault(ticket, 0.0);
      Side side = side(tenant.name);
      side.under = Math.max(side.under, cost - estimated);
      side.over = Math.max(side.over, estimated - cost);
    }
  }

  void finished(SimulatedTenant tenant, SlotTicket ticket, double cost) {
    if (pairs.isEmpty()) {
      return;
    }
    finishes++;
    Double estimate = estimates.remove(ticket);
    SlotId id = SlotId.of(ticket);
    List<Unreported> open = unreported.computeIfAbsent(id, _ -> new ArrayList<>());
    open.add(new Unreported(finishes, cost));
    double untold = open.stream().mapToDouble(Unreported::cost).sum();
    Side side = side(tenant.name);
    side.runs++;
    double kept = estimate == null ? side.kept.merge(id, cost, Double::sum) : 0;
    side.unreported = Math.max(side.unreported, Math.max(untold, kept));
    for (Pair pair : pairs) {
      if (pair.open && (pair.one.equals(tenant) || pair.other.equals(tenant))) {
        check(pair);
      }
    }
  }

  /** A worker wrote this table. */
  void tableMade(FairnessCoordinator.WorkerTable table) {
    tables.put(new TableId(table.worker(), table.incarnation(), table.version()), finishes);
  }

  /** A coordinator reads this table. */
  void tableSeen(FairnessCoordinator.WorkerTable table) {
    long told =
        tables.getOrDefault(new TableId(table.worker(), table.incarnation(), table.version()), 0L);
    unreported.forEach(
        (slot, costs) -> {
          if (slot.worker().equals(table.worker())) {
            costs.removeIf(cost -> cost.number() <= told);
          }
        });
  }

  private void check(Pair pair) {
    double difference = difference(pair);
    pair.least = Math.min(pair.least, difference);
    pair.most = Math.max(pair.most, difference);
    double range = pair.most - pair.least;
    double bound = bound(pair);
    if (range > bound + EPSILON) {
      throw new Broken(
          getClass(), pair.one.name + " and " + pair.other.name + ": " + range + " > " + bound);
    }
    if (pair.tells() && range / bound > tightest) {
      tightest = range / bound;
      tightestHow =
          ("%.0f of %.0f weighted tokens, weights %.0f and %.0f, slots %d and %d,"
                  + " estimates %.0f and %.0f, costs %d to %d and %d to %d")
              .formatted(
                  range,
                  bound,
                  pair.one.load.terms().weight(),
                  pair.other.load.terms().weight(),
                  pair.oneSide.held,
                  pair.otherSide.held,
                  pair.one.load.estimate(),
                  pair.other.load.estimate(),
                  pair.one.load.costMin(),
                  pair.one.load.costMax(),
                  pair.other.load.costMin(),
                  pair.other.load.costMax());
    }
  }

  private double difference(Pair pair) {
    return world.spent.of(pair.one.name) / pair.one.load.terms().weight()
        - world.spent.of(pair.other.name) / pair.other.load.terms().weight();
  }
}
