package dev.rowhouse.fairness;

import dev.rowhouse.fairness.PoolTable.CostRow;
import dev.rowhouse.fairness.PoolTable.SlotRow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * One pool as the coordinator sees it: its slots at all workers, its tenants' demands, and the
 * {@link FairQueue} that decides. Tables and demands in, commands to workers out.
 *
 * <p>A slot here is what the last table said, or what was sent since:
 *
 * <pre>
 *   FREE       -- we send Grant(s)             --> GRANTED     (charged)
 *   GRANTED    -- table: seq s, free           --> GRANTED     (the Grant is on its way)
 *   GRANTED    -- no answer                    --> RECLAIMING  (refunded; Reclaim voids the Grant)
 *   GRANTED    -- table: anything else         --> as it says
 *   RECLAIMING -- table: seq still the old     --> RECLAIMING
 *   any        -- table                        --> FREE, IDLE (held, unused) or RUNNING
 * </pre>
 *
 * <p>While nobody waits for more than is free, grants are to keep. Once somebody waits and nothing
 * is free, unused tickets are recalled, as many as are wanted, and if that is not enough every kept
 * slot that runs is recalled too: it is for one run from then on, and the queue decides after it.
 */
final class PoolState {

  /** A command for a worker. */
  record Send(ActorRef<SlotOwner> worker, SlotOwner.SlotCommand command) {}

  private static final class Party {
    final FairnessCoordinator.Demand demand;
    final long atMillis;
    int pending;

    /** Slots for small requests that were granted since. */
    int smallGranted;

    /** When it was last told what it may expect. */
    long outlookMillis = Long.MIN_VALUE / 2;

    Party(FairnessCoordinator.Demand demand, long atMillis) {
      this.demand = demand;
      this.atMillis = atMillis;
      this.pending = demand.backlog().pending();
    }
  }

  private final String pool;
  private final FairnessSettings settings;
  private final FairQueue queue;
  private final Map<String, Party> parties = new HashMap<>();
  private final PoolWorkers workers = new PoolWorkers();
  private final Recalls recalls;

  /** Silent workers, so that what they cost meanwhile is still counted when they are back. */
  private final Map<String, PoolWorker> lost = new HashMap<>();

  private final Map<ActorRef<SlotHolder>, Integer> heldBy = new HashMap<>();
  private final PoolSpeed speed = new PoolSpeed();
  private final long bornMillis;
  private boolean contended;

  /** Slots that small requests have, granted as such. */
  private int smallTaken;

  PoolState(
      String pool,
      FairnessSettings settings,
      long nowMillis,
      Function<Integer, FairQueue> newQueue) {
    this.pool = pool;
    this.settings = settings;
    this.queue = newQueue.apply(settings.tenantsMax());
    this.recalls = new Recalls(pool, settings, workers, queue);
    this.bornMillis = nowMillis;
  }

  /** The worker's table for this pool; the caller has checked that it is the newest. */
  void table(
      String name, long incarnation, ActorRef<SlotOwner> ref, PoolTable table, long nowMillis) {
    PoolWorker worker = workers.get(name);
    if (worker == null || worker.incarnation != incarnation) {
      dropWorker(name);
      worker = new PoolWorker(name, incarnation, ref);
      worker.resume(lost.remove(name));
      workers.put(worker);
    }
    worker.slotsTotal = table.slotsTotal();
    Map<String, Integer> reservedRuns = new HashMap<>();
    Set<Integer> seen = new HashSet<>();
    for (SlotRow row : table.rows()) {
      seen.add(row.slot());
      apply(worker, row, nowMillis, reservedRuns);
    }
    for (PoolSlot slot : List.copyOf(worker.slots())) {
      if (!seen.contains(slot.index)) {
        vacate(slot);
        worker.remove(slot);
      }
    }
    settle(worker, table.costs(), reservedRuns, nowMillis);
    recount();
  }

  private void recount() {
    workers.recount();
    queue.capacity(workers.capacity());
  }

  /** A tenant's demand; the newest wins. */
  List<Send> demand(FairnessCoordinator.Demand demand, long epoch, long nowMillis) {
    Party before = parties.get(demand.tenant());
    boolean isOld = before != null && !isNewer(demand, before.demand);
    if (isOld || !open(demand.tenant())) {
      return List.of();
    }
    Party party = new Party(demand, nowMillis);
    if (before != null) {
      party.outlookMillis = before.outlookMillis;
    }
    parties.put(demand.tenant(), party);
    List<Send> sends = new ArrayList<>();
    if (before == null || !before.demand.holder().equals(demand.holder())) {
      workers
          .slots()
          .filter(slot -> demand.tenant().equals(slot.tenant))
          .filter(slot -> !demand.holder().equals(slot.holder))
          .toList()
          .forEach(slot -> reclaim(slot, epoch, nowMillis, sends));
    }
    queue.demand(demand.tenant(), demand.terms(), demand.backlog());
    refresh(demand.tenant());
    return sends;
  }

  void dropWorker(String name) {
    PoolWorker worker = workers.remove(name);
    if (worker != null) {
      worker.slots().forEach(this::vacate);
      lost.put(name, worker);
      recount();
    }
  }

  /** The worker will not come back. */
  void forgetWorker(String name) {
    lost.remove(name);
  }

  FairQueue queue() {
    return queue;
  }

  PoolWorkers workers() {
    return workers;
  }

  /**
   * The actor that holds these slots is gone. Its demand is forgotten with its number, because its
   * successor may live by a clock that is behind.
   */
  List<Send> holderGone(ActorRef<SlotHolder> holder, long epoch, long nowMillis) {
    List<String> gone =
        parties.values().stream()
            .filter(party -> party.demand.holder().equals(holder))
            .map(party -> party.demand.tenant())
            .toList();
    gone.forEach(parties::remove);
    gone.forEach(this::refresh);
    List<Send> sends = new ArrayList<>();
    workers
        .slots()
        .filter(slot -> holder.equals(slot.holder))
        .toList()
        .forEach(slot -> reclaim(slot, epoch, nowMillis, sends));
    return sends;
  }

  /** What time has changed: grants nobody acknowledged, demands nobody repeats. */
  List<Send> expire(long epoch, long nowMillis) {
    List<Send> sends = new ArrayList<>();
    for (Party party : parties.values()) {
      if (party.pending > 0 && nowMillis - party.atMillis > settings.demandSilence().toMillis()) {
        silence(party);
      }
    }
    for (PoolSlot slot : workers.slots().toList()) {
      if (nowMillis - slot.sinceMillis <= settings.grantExpiry().toMillis()) {
        continue;
      }
      switch (slot.state) {
        case GRANTED, RECLAIMING -> reclaim(slot, epoch, nowMillis, sends);
        case IDLE -> {
          Party party = slot.tenant == null ? null : parties.get(slot.tenant);
          if (party != null && party.pending > 0) {
            reclaim(slot, epoch, nowMillis, sends);
          }
        }
        case FREE, RUNNING -> {}
      }
    }
    return sends;
  }

  /**
   * Gives free slots to those that want them, and recalls slots when there are too few: at once
   * when that begins, then at each tick, because it looks at every slot.
   */
  List<Send> schedule(long epoch, long nowMillis, boolean tick) {
    List<Send> sends = new ArrayList<>();
    boolean mayGrant =
        workers.slotsTotal() == null || nowMillis - bornMillis >= settings.adoption().toMillis();
    boolean enough = queue.wantsTotal() <= workers.free();
    while (mayGrant && queue.wantsTotal() > 0) {
      PoolWorker worker = workers.roomiest();
      FairQueue.Pick pick = worker == null ? null : queue.next(onlySmallLeft());
      Party party = pick == null ? null : parties.get(pick.tenant());
      if (worker == null || pick == null || party == null) {
        break;
      }
      PoolSlot slot = worker.takeFree();
      double charge = queue.grant(pick);
      boolean hold = enough && !pick.small();
      slot.granted(pick, party.demand.holder(), hold, charge);
      slot.sinceMillis = nowMillis;
      if (pick.small()) {
        smallTaken++;
        party.smallGranted++;
      }
      heldBy.merge(party.demand.holder(), 1, Integer::sum);
      sends.add(
          new Send(
              worker.ref,
              new SlotOwner.Grant(
                  epoch,
                  pool,
                  slot.index,
                  slot.seq,
                  party.demand.tenant(),
                  party.demand.holder(),
                  hold,
                  pick.small())));
    }
    long wanted = mayGrant ? queue.wantsTotal() : 0;
    boolean begins = wanted > 0 && !contended;
    contended = wanted > 0;
    if (begins || (contended && tick)) {
      recalls.kept(wanted, epoch, nowMillis, sends);
    }
    if (tick) {
      recalls.surplus(epoch, nowMillis, sends);
    }
    return sends;
  }

  /** Slots that large requests leave to small ones; none in a pool that is too small for it. */
  int smallSlots() {
    return (int) (settings.smallShare() * workers.capacity());
  }

  /** Whether what is free is kept for small requests. */
  private boolean onlySmallLeft() {
    return workers.taken() - smallTaken >= workers.capacity() - smallSlots();
  }

  /** Slots that could be granted now to somebody who waits. */
  int freeForThoseThatWait() {
    int large = workers.capacity() - smallSlots() - (workers.taken() - smallTaken);
    return queue.hasSmallWaiting() ? workers.free() : Math.max(0, Math.min(workers.free(), large));
  }

  /** What a tenant that waits may expect; null when it was told lately. */
  SlotHolder.@Nullable Outlook outlook(FairnessCoordinator.Demand demand, long nowMillis) {
    Party party = parties.get(demand.tenant());
    if (party == null
        || party.pending == 0
        || !party.demand.holder().equals(demand.holder())
        || nowMillis - party.outlookMillis < settings.outlookInterval().toMillis()) {
      return null;
    }
    party.outlookMillis = nowMillis;
    return new SlotHolder.Outlook(pool, workers.capacity(), entitledCostPerSecond(demand));
  }

  private double entitledCostPerSecond(FairnessCoordinator.Demand demand) {
    FairQueue.Account account = queue.account(demand.tenant());
    if (account == null || queue.weightActive() <= 0) {
      return 0;
    }
    return speed.costPerSlotSecond()
        * workers.capacity()
        * Math.min(1, account.weight / queue.weightActive());
  }

  /** Whether a ticket of that slot is void is known when a table shows a higher number. */
  private void reclaim(PoolSlot slot, long epoch, long nowMillis, List<Send> sends) {
    sends.add(new Send(slot.worker.ref, new SlotOwner.Reclaim(epoch, pool, slot.index, slot.seq)));
    if (slot.state == PoolSlot.State.RUNNING) {
      slot.hold = false;
      return;
    }
    vacate(slot);
    slot.state = PoolSlot.State.RECLAIMING;
    slot.sinceMillis = nowMillis;
  }

  private void apply(
      PoolWorker worker, SlotRow row, long nowMillis, Map<String, Integer> reservedRuns) {
    PoolSlot slot = worker.slot(row.slot(), row.seq(), nowMillis);
    if (slot.awaits(row)) {
      return;
    }
    boolean sameTenure =
        slot.tenant != null
            && slot.tenant.equals(row.holder())
            && Objects.equals(slot.holder, row.holderRef());
    boolean runOver = slot.chargedRunOver(row);
    if (slot.tenant != null && slot.reserved && runOver) {
      reservedRuns.merge(slot.tenant, 1, Integer::sum);
      slot.reserved = false;
    }
    if (!sameTenure) {
      vacate(slot);
      if (row.holder() != null && open(row.holder())) {
        slot.tenant = row.holder();
        slot.holder = row.holderRef();
        queue.adopt(row.holder());
        heldBy.merge(holderOf(slot), 1, Integer::sum);
      }
    } else if (runOver && slot.tenant != null) {
      queue.refund(slot.tenant, slot.charge);
      slot.charge = 0;
    }
    if (row.running()) {
      slot.chargeSeq = row.seq() - 1;
      if (slot.tenant != null && !slot.reserved) {
        slot.charge = queue.progress(slot.tenant, slot.charge, row.spentCost());
      }
    }
    slot.follow(row, nowMillis);
    refresh(row.holder());
  }

  private void settle(
      PoolWorker worker, List<CostRow> rows, Map<String, Integer> reservedRuns, long nowMillis) {
    for (CostRow spent : worker.spentSince(rows)) {
      speed.ran(spent.cumulativeCost(), spent.busyMillis(), nowMillis);
      String tenant = spent.tenant();
      if (open(tenant)) {
        int reserved = reservedRuns.getOrDefault(tenant, 0);
        queue.settle(
            tenant, spent.cumulativeCost(), Math.min(1.0, (double) reserved / spent.runs()));
      }
    }
  }

  /** The slot is nobody's any more; what was charged for it is given back. */
  private void vacate(PoolSlot slot) {
    String tenant = slot.tenant;
    if (tenant != null) {
      heldBy.computeIfPresent(holderOf(slot), (ref, count) -> count == 1 ? null : count - 1);
      queue.refund(tenant, slot.charge);
      queue.release(tenant);
      if (slot.small) {
        smallTaken--;
      }
      slot.cleared();
      refresh(tenant);
    }
  }

  private void silence(Party party) {
    party.pending = 0;
    refresh(party.demand.tenant());
  }

  private void refresh(@Nullable String tenant) {
    if (tenant != null) {
      int waits = waiting(tenant);
      queue.waiting(tenant, waits, waitingSmall(tenant, waits));
    }
  }

  /**
   * Requests that wait beyond the slots that are on their way: slots of the tenant's present actor
   * that it did not know of when it sent its demand.
   */
  private int waiting(String tenant) {
    Party party = parties.get(tenant);
    if (party == null || party.pending == 0) {
      return 0;
    }
    int held = heldBy.getOrDefault(party.demand.holder(), 0);
    return Math.max(0, party.pending - Math.max(0, held - party.demand.held()));
  }

  private int waitingSmall(String tenant, int waits) {
    Party party = parties.get(tenant);
    int small = party == null ? 0 : party.demand.backlog().smallPending() - party.smallGranted;
    return Math.max(0, Math.min(small, waits));
  }

  private boolean open(String tenant) {
    if (queue.account(tenant) == null && queue.isFull()) {
      String victim = queue.evictIdle();
      if (victim == null) {
        return false;
      }
      parties.remove(victim);
    }
    queue.open(tenant);
    return true;
  }

  private static boolean isNewer(FairnessCoordinator.Demand one, FairnessCoordinator.Demand other) {
    return one.incarnation() != other.incarnation()
        ? one.incarnation() > other.incarnation()
        : one.version() > other.version();
  }

  private static ActorRef<SlotHolder> holderOf(PoolSlot slot) {
    return Objects.requireNonNull(slot.holder, "a slot that has a tenant has its address");
  }

  boolean isEmpty() {
    return workers.isEmpty()
        && queue.wantsTotal() == 0
        && parties.values().stream().allMatch(party -> party.pending == 0);
  }

  void addHolders(Set<ActorRef<SlotHolder>> holders) {
    holders.addAll(heldBy.keySet());
    parties.values().forEach(party -> holders.add(party.demand.holder()));
  }

  FairnessSnapshot.PoolView view(int offset, int limit) {
    return PoolViews.view(
        pool,
        workers,
        queue,
        smallSlots(),
        speed.costPerSlotSecond() * workers.capacity(),
        this::backlog,
        offset,
        limit);
  }

  private @Nullable Backlog backlog(String tenant) {
    Party party = parties.get(tenant);
    return party == null || party.pending == 0 ? null : party.demand.backlog();
  }
}
