package dev.rowhouse.fairness;

import dev.rowhouse.tenant.Reservation;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who is next in one pool: virtual token counters (Sheng et al., "Fairness in Serving Large
 * Language Models", OSDI 2024), with weights, reservations and limits. It has never heard of
 * actors, slots or time.
 *
 * <p>Each tenant has a counter, the cost that it was served divided by its weight. A free slot goes
 * to the smallest counter among those that wait and may have one. So two tenants that both wait are
 * served in proportion to their weights, within a constant that does not grow with time.
 *
 * <ul>
 *   <li><b>Charge, then settle.</b> A grant charges an estimate at once, or one tenant would get
 *       every free slot before its first run ends. When the run is over the estimate is refunded
 *       and the actual cost settled, so without open grants counters hold actual cost only.
 *   <li><b>Lift.</b> Idleness earns next to nothing: who starts to wait is lifted to the smallest
 *       counter among those that wait, or, if nobody does, to that of the last that left, less a
 *       small credit. A lift never lowers: debt stays. The credit is the cost of a request or two;
 *       without it the second request of a short burst waits for all that never stop. It is the
 *       most by which the start of a backlog can be unequal: others are lifted to a tenant's level,
 *       its counter without credit, so credits never add up.
 *   <li><b>Kept slots.</b> While nobody waits, tenants run on slots that they keep, past this
 *       queue. Each such run counts as a return and a leaving (lift, cost, new mark of the last
 *       that left), which is what the paper's queue would see. Else whoever used an idle pool would
 *       pay for it once others come.
 *   <li><b>Reservations first.</b> A tenant with less than its reserved slots, or its reserved
 *       share of the pool, goes before all counters, the least filled reservation first. Together
 *       they bind at most {@value #RESERVABLE_SHARE} of the capacity; beyond that all shrink alike.
 *       What is served this way is counted apart, not in the counter.
 *   <li><b>Small requests.</b> A few slots are kept for them, so that long ones do not hold every
 *       slot at once. When only those are left, the smallest counter among the tenants that have a
 *       small request is next.
 *   <li><b>Progress.</b> What an open run has spent beyond its estimate is charged while it runs,
 *       so that a run which was taken for short does not stay cheap until it ends.
 *   <li><b>Bounded.</b> State is per tenant, never per request, and every operation is O(log
 *       tenants). Above the bound the idle tenant with the smallest counter is forgotten: it has
 *       the least debt, and its return is lifted as any other.
 * </ul>
 */
class FairQueue {

  /** What reservations may bind, so that tenants without one are never shut out. */
  static final double RESERVABLE_SHARE = Reservation.SHARE_MAX;

  /**
   * The next tenant.
   *
   * @param reserved whether its reservation, not its counter, made it so
   * @param small whether the slot is for a small request only
   */
  record Pick(String tenant, boolean reserved, boolean small) {}

  private static final Comparator<Account> BY_COUNTER =
      Comparator.<Account>comparingDouble(account -> account.counter)
          .thenComparingLong(account -> account.turn)
          .thenComparing(account -> account.tenant);

  private static final Comparator<Account> BY_LEVEL =
      Comparator.<Account>comparingDouble(Account::level).thenComparing(account -> account.tenant);

  private static final Comparator<Account> BY_RESERVATION =
      Comparator.<Account>comparingDouble(account -> account.held / account.reservation)
          .thenComparing(BY_COUNTER);

  private final int accountsMax;
  private final double liftCreditCost;
  private final Map<String, Account> accounts = new HashMap<>();
  private final TreeSet<Account> waiting = new TreeSet<>(BY_COUNTER);
  private final TreeSet<Account> waitingByLevel = new TreeSet<>(BY_LEVEL);
  private final TreeSet<Account> waitingSmall = new TreeSet<>(BY_COUNTER);
  private final TreeSet<Account> reserved = new TreeSet<>(BY_RESERVATION);
  private final TreeSet<Account> idle = new TreeSet<>(BY_COUNTER);
  private @Nullable Account lastLeft;

  /** What the last that left had when it was forgotten. */
  private double forgottenLevel;

  private final Set<Account> reservers = new HashSet<>();
  private int capacitySlots;
  private double reservationsTotal;
  private double weightActive;
  private double weightWanting;
  private long heldContent;
  private long turns;
  private long wantsTotal;

  /** Without credit. */
  FairQueue(int accountsMax) {
    this(accountsMax, 0);
  }

  /**
   * Without any tenant.
   *
   * @param liftCreditCost what who starts to wait may have more than others, in weighted tokens
   */
  FairQueue(int accountsMax, double liftCreditCost) {
    this.accountsMax = accountsMax;
    this.liftCreditCost = liftCreditCost;
  }

  /** The counter that who starts to wait is raised to, less its credit; a test overrides it. */
  double lift() {
    if (!waiting.isEmpty()) {
      return waitingByLevel.first().level();
    }
    return lastLeft == null ? forgottenLevel : lastLeft.settledLevel();
  }

  @Nullable Account account(String tenant) {
    return accounts.get(tenant);
  }

  Collection<Account> accounts() {
    return Collections.unmodifiableCollection(accounts.values());
  }

  /** Slots that could be used at once if there were enough, over all tenants. */
  long wantsTotal() {
    return wantsTotal;
  }

  boolean hasSmallWaiting() {
    return !waitingSmall.isEmpty();
  }

  /** The sum of the weights of those that hold slots or wait. */
  double weightActive() {
    return weightActive;
  }

  /**
   * How many slots this tenant can count on while things stay as they are: its part, by weight
   * among those that want more, of what the content ones leave; never more than its limit.
   */
  double expectedSlots(Account account) {
    if (account.wants() == 0 || weightWanting <= 0) {
      return account.held;
    }
    double shared = Math.max(0, capacitySlots - heldContent);
    double part = shared * Math.min(1, account.weight / weightWanting);
    return account.limit == null ? part : Math.min(part, account.limit);
  }

  boolean isFull() {
    return accounts.size() >= accountsMax;
  }

  /** How many slots there are; reservations are measured by it. */
  void capacity(int slots) {
    if (slots != capacitySlots) {
      capacitySlots = slots;
      for (Account account : List.copyOf(reservers)) {
        boolean wanted = unlink(account);
        reserve(account);
        relink(account, wanted);
      }
    }
  }

  /** Forgets the idle tenant with the smallest counter; null when nobody is idle. */
  @Nullable String evictIdle() {
    Account victim = idle.pollFirst();
    if (victim == null) {
      return null;
    }
    accounts.remove(victim.tenant);
    if (lastLeft == victim) {
      forgottenLevel = victim.level();
      lastLeft = null;
    }
    reservers.remove(victim);
    countReservations();
    return victim.tenant;
  }

  /** Makes the tenant known. Does nothing when it is. */
  void open(String tenant) {
    if (!accounts.containsKey(tenant)) {
      Account account = new Account(tenant);
      accounts.put(tenant, account);
      link(account);
    }
  }

  /** The tenant's terms and what waits, with no slot on its way to it. */
  void demand(String tenant, Terms terms, Backlog backlog) {
    demand(tenant, terms, backlog, backlog.pending(), backlog.smallPending());
  }

  /**
   * The tenant's terms, and how many of its requests wait beyond the slots that are on their way.
   */
  void demand(
      String tenant,
      Terms terms,
      Backlog backlog,
      long waitingRequests,
      long waitingSmallRequests) {
    Account account = accounts.get(tenant);
    if (account == null) {
      return;
    }
    boolean wanted = unlink(account);
    account.weight = terms.weight();
    account.limit = terms.limitSlots();
    account.estimate = backlog.headEstimateCost();
    account.waiting = waitingRequests;
    account.estimateSmall = backlog.smallEstimateCost();
    account.waitingSmall = waitingSmallRequests;
    account.counter += account.unweighted / terms.weight();
    account.unweighted = 0;
    if (account.reservationSlots != terms.reservationSlots()
        || account.reservationShare != terms.reservationShare()) {
      account.reservationSlots = terms.reservationSlots();
      account.reservationShare = terms.reservationShare();
      reserve(account);
    }
    relink(account, wanted);
  }

  /** As {@link #demand}, when only the number of waiting requests has changed. */
  void waiting(String tenant, long waitingRequests, long waitingSmallRequests) {
    Account account = accounts.get(tenant);
    if (account != null
        && (account.waiting != waitingRequests || account.waitingSmall != waitingSmallRequests)) {
      count(account, account.held, waitingRequests, waitingSmallRequests);
    }
  }

  /**
   * Who gets the next free slot; null when nobody that may have one wants it.
   *
   * @param smallOnly whether what is left is kept for small requests
   */
  @Nullable Pick next(boolean smallOnly) {
    if (smallOnly) {
      return waitingSmall.isEmpty() ? null : new Pick(waitingSmall.first().tenant, false, true);
    }
    if (!reserved.isEmpty()) {
      Account first = reserved.first();
      double reservable = RESERVABLE_SHARE * capacitySlots;
      double scale = Math.min(1, reservable / reservationsTotal);
      if (first.held < first.reservation * scale) {
        return new Pick(first.tenant, true, false);
      }
    }
    return waiting.isEmpty() ? null : new Pick(waiting.first().tenant, false, false);
  }

  /**
   * The tenant gets a slot for its first waiting request, or its first small one.
   *
   * @return what was added to its counter; the caller gives it back to {@link #refund}
   */
  double grant(Pick pick) {
    Account account = accounts.get(pick.tenant());
    if (account == null) {
      return 0;
    }
    double estimate = pick.small() ? account.estimateSmall : account.estimate;
    double charge = pick.reserved() ? 0 : estimate / account.weight;
    boolean wanted = unlink(account);
    account.held++;
    account.waiting = Math.max(0, account.waiting - 1);
    if (pick.small()) {
      account.waitingSmall = Math.max(0, account.waitingSmall - 1);
    }
    account.counter += charge;
    account.unsettled += charge;
    account.turn = ++turns;
    relink(account, wanted);
    return charge;
  }

  /** A slot of this tenant that was granted by another coordinator. */
  void adopt(String tenant) {
    hold(tenant, 1);
  }

  /** A slot of this tenant is free again. */
  void release(String tenant) {
    hold(tenant, -1);
  }

  /**
   * An open run has spent so much by now.
   *
   * @param charged what its counter was charged for this run before
   * @return what it is charged now: the larger of that and what was spent, over the weight
   */
  double progress(String tenant, double charged, double spentCost) {
    Account account = accounts.get(tenant);
    if (account == null || account.weight <= 0 || spentCost / account.weight <= charged) {
      return charged;
    }
    double more = spentCost / account.weight - charged;
    boolean wanted = unlink(account);
    account.counter += more;
    account.unsettled += more;
    relink(account, wanted);
    return charged + more;
  }

  /** The run that a grant was charged for is over, or never was. */
  void refund(String tenant, double charge) {
    Account account = accounts.get(tenant);
    if (account != null && charge != 0) {
      boolean wanted = unlink(account);
      account.counter -= charge;
      account.unsettled -= charge;
      relink(account, wanted);
    }
  }

  /**
   * What runs of this tenant have cost.
   *
   * @param apartShare the part, 0 to 1, that was served under its reservation
   */
  void settle(String tenant, double cost, double apartShare) {
    Account account = accounts.get(tenant);
    if (account == null || cost <= 0) {
      return;
    }
    boolean wanted = unlink(account);
    account.apart += cost * apartShare;
    double counted = cost * (1 - apartShare);
    if (account.weight > 0) {
      boolean nobodyWaits = !wanted && waiting.isEmpty();
      if (nobodyWaits) {
        lift(account);
      }
      account.counter += counted / account.weight;
      if (nobodyWaits) {
        lastLeft = account;
      }
    } else {
      account.unweighted += counted;
    }
    relink(account, wanted);
  }

  private void hold(String tenant, int change) {
    Account account = accounts.get(tenant);
    if (account != null) {
      count(account, account.held + change, account.waiting, account.waitingSmall);
    }
  }

  /**
   * New counts; the counter stays. Mostly the account keeps its place in every order, and only the
   * sum changes.
   */
  private void count(Account account, int held, long waitingRequests, long waitingSmallRequests) {
    long wantsBefore = account.wants();
    boolean smallBefore = account.waitingSmall > 0;
    boolean idleBefore = account.isIdle();
    int heldBefore = account.held;
    long waitingBefore = account.waiting;
    long waitingSmallBefore = account.waitingSmall;
    account.held = held;
    account.waiting = waitingRequests;
    account.waitingSmall = waitingSmallRequests;
    if (account.reservation == 0
        && (account.wants() > 0) == (wantsBefore > 0)
        && (account.waitingSmall > 0) == smallBefore
        && account.isIdle() == idleBefore) {
      wantsTotal += account.wants() - wantsBefore;
      heldContent += wantsBefore > 0 ? 0 : held - heldBefore;
      return;
    }
    account.held = heldBefore;
    account.waiting = waitingBefore;
    account.waitingSmall = waitingSmallBefore;
    boolean wanted = unlink(account);
    account.held = held;
    account.waiting = waitingRequests;
    account.waitingSmall = waitingSmallRequests;
    relink(account, wanted);
  }

  private void reserve(Account account) {
    account.reservation =
        Math.max(account.reservationSlots, account.reservationShare * capacitySlots);
    if (account.reservationSlots > 0 || account.reservationShare > 0) {
      reservers.add(account);
    } else {
      reservers.remove(account);
    }
    countReservations();
  }

  /** Added up anew, because differences of fractions would drift. */
  private void countReservations() {
    reservationsTotal = 0;
    for (Account account : reservers) {
      reservationsTotal += account.reservation;
    }
  }

  /**
   * Takes the account out of every order, before its keys change; tells whether it wanted slots.
   */
  private boolean unlink(Account account) {
    long wants = account.wants();
    wantsTotal -= wants;
    if (account.isIdle()) {
      idle.remove(account);
    } else {
      weightActive -= account.weight;
    }
    if (account.reservation > 0) {
      reserved.remove(account);
    }
    if (wants > 0) {
      waitingSmall.remove(account);
      waitingByLevel.remove(account);
      waiting.remove(account);
      // Sums of fractions drift; an empty set is the place to begin anew.
      weightWanting = waiting.isEmpty() ? 0 : weightWanting - account.weight;
    } else {
      heldContent -= account.held;
    }
    return wants > 0;
  }

  private void relink(Account account, boolean wantedBefore) {
    boolean wants = account.wants() > 0;
    if (wants && !wantedBefore) {
      lift(account);
    } else if (!wants && wantedBefore) {
      lastLeft = account;
    }
    link(account);
  }

  /** A test overrides it to know by how much. */
  void lift(Account account) {
    account.liftedTo = lift();
    account.counter = Math.max(account.counter, account.liftedTo - liftCreditCost / account.weight);
  }

  private void link(Account account) {
    long wants = account.wants();
    wantsTotal += wants;
    if (wants > 0) {
      waiting.add(account);
      waitingByLevel.add(account);
      if (account.waitingSmall > 0) {
        waitingSmall.add(account);
      }
      if (account.held < account.reservation) {
        reserved.add(account);
      }
      weightWanting += account.weight;
    } else {
      heldContent += account.held;
    }
    if (account.isIdle()) {
      idle.add(account);
    } else {
      weightActive += account.weight;
    }
  }
}
