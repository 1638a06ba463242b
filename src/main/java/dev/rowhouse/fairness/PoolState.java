package dev.rowhouse.fairness;

import dev.rowhouse.fairness.PoolTable.SlotRow;
import dev.rowhouse.fairness.PoolTable.Spent;
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
    worker.slotsTotal(table.slotsTotal());
    for (PoolTable.GoneSlot gone : table.gone()) {
      PoolSlot slot = worker.anySlot(gone.slot());
      if (slot != null) {
        settle(slot, gone.spent(), 0, nowMillis);
      }
    }
    for (SlotRow row : table.rows()) {
      apply(worker, row, nowMillis);
    }
    if (worker.size() > table.rows().size()) {
      removeOthers(worker, table.rows());
    }
    worker.isKnown = true;
    recount();
  }

  private void removeOthers(PoolWorker worker, List<SlotRow> rows) {
    Set<Integer> seen = new HashSet<>();
    rows.forEach(row -> seen.add(row.slot()));
    for (PoolSlot slot : List.copyOf(worker.slots())) {
      if (!seen.contains(slot.index)) {
        vacate(slot);
        worker.remove(slot);
      }
    }
  }

  private void recount() {
    workers.recount();
    queue.capacity(workers.capacity());
  }

  /** A tenant's demand; the newest wins. */
  List<Send> demand(FairnessCoordinator.Demand demand, long epoch, long nowMillis) {
    Party before = parties.get(demand.tenant());
    boolean isOld = before != null && !before.isOlderThan(demand);
    if (isOld || !open(demand.tenant())) {
      return List.of();
    }
    List<Send> sends = new ArrayList<>();
    if (before == null || !before.isOf(demand.holder())) {
      workers
          .slots()
          .filter(slot -> demand.tenant().equals(slot.tenant))
          .filter(slot -> !demand.holder().equals(slot.holder))
          .toList()
          .forEach(slot -> reclaim(slot, epoch, nowMillis, sends));
    }
    Party party = before;
    if (party == null) {
      party = new Party(demand, nowMillis);
      parties.put(demand.tenant(), party);
    } else {
      party.follow(demand, nowMillis);
    }
    int waits = party.waiting(heldBy.getOrDefault(party.holder(), 0));
    queue.demand(
        demand.tenant(), demand.terms(), demand.backlog(), waits, party.waitingSmall(waits));
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
            .filter(party -> party.isOf(holder))
            .map(party -> party.tenant)
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
      slot.granted(pick, party.holder(), hold, charge);
      slot.sinceMillis = nowMillis;
      if (pick.small()) {
        smallTaken++;
        party.smallGranted++;
      }
      heldBy.merge(party.holder(), 1, Integer::sum);
      sends.add(
          new Send(
              worker.ref,
              new SlotOwner.Grant(
                  epoch,
                  pool,
                  slot.index,
                  slot.seq,
                  party.tenant,
                  party.holder(),
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
        || !party.isOf(demand.holder())
        || nowMillis - party.outlookMillis < settings.outlookInterval().toMillis()) {
      return null;
    }
    party.outlookMillis = nowMillis;
    return new SlotHolder.Outlook(pool, workers.capacity(), entitledCostPerSecond(demand));
  }

  private double entitledCostPerSecond(FairnessCoordinator.Demand demand) {
    Account account = queue.account(demand.tenant());
    return account == null ? 0 : speed.costPerSlotSecond() * queue.expectedSlots(account);
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

  private void apply(PoolWorker worker, SlotRow row, long nowMillis) {
    PoolSlot slot = worker.slot(row, nowMillis);
    if (slot.awaits(row)) {
      settle(slot, row, 0, nowMillis);
      return;
    }
    boolean sameTenure =
        slot.tenant != null
            && slot.tenant.equals(row.holder())
            && Objects.equals(slot.holder, row.holderRef());
    boolean runOver = slot.chargedRunOver(row);
    int reservedRuns = 0;
    if (slot.tenant != null && slot.reserved && runOver) {
      reservedRuns = 1;
      slot.reserved = false;
    }
    settle(slot, row, reservedRuns, nowMillis);
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
        slot.charge = queue.progress(slot.tenant, slot.charge, row.progressCost());
      }
    }
    slot.follow(row, nowMillis);
    refresh(row.holder());
  }

  private void settle(PoolSlot slot, SlotRow row, int reservedRuns, long nowMillis) {
    if (row.before() != null) {
      settle(slot, row.before(), 0, nowMillis);
    }
    if (row.spent() != null) {
      settle(slot, row.spent(), reservedRuns, nowMillis);
    }
  }

  private void settle(PoolSlot slot, Spent told, int reservedRuns, long nowMillis) {
    Spent spent = slot.unsettled(told);
    if (spent != null) {
      speed.ran(spent.cost(), spent.busyMillis(), nowMillis);
      if (open(spent.tenant())) {
        queue.settle(spent.tenant(), spent.cost(), (double) reservedRuns / spent.runs());
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
    refresh(party.tenant);
  }

  private void refresh(@Nullable String tenant) {
    if (tenant != null) {
      Party party = parties.get(tenant);
      int waits = party == null ? 0 : party.waiting(heldBy.getOrDefault(party.holder(), 0));
      queue.waiting(tenant, waits, party == null ? 0 : party.waitingSmall(waits));
    }
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
    parties.values().forEach(party -> holders.add(party.holder()));
  }

  FairnessSnapshot.PoolView view(int offset, int limit) {
    return PoolViews.view(
        pool,
        workers,
        queue,
        smallSlots(),
        speed.costPerSlotSecond() * workers.capacity(),
        parties::get,
        offset,
        limit);
  }
}
