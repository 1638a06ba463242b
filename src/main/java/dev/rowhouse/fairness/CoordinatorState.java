package dev.rowhouse.fairness;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * All that a coordinator knows: every pool's {@link PoolState} and the newest table of each worker.
 * Pure: messages and a time in, commands for workers out.
 *
 * <p>It is rebuilt from the next table of each worker and the next demand of each tenant, so a new
 * coordinator begins empty: it listens from the first moment and acts once it has an epoch. Slots
 * that tables show as held are adopted as they are. A coordinator that reads of a higher epoch in a
 * table is not the last one any more and keeps still.
 */
final class CoordinatorState {

  /**
   * How long a worker that is gone is remembered, so that a late table does not revive it: ten
   * minutes, far beyond what any message is late.
   */
  static final long TOMBSTONE_MILLIS = 600_000;

  private static final class WorkerEntry {
    final long incarnation;
    final ActorRef<SlotOwner> ref;
    long version;
    long heardMillis;
    boolean lost;
    Set<String> pools = Set.of();

    WorkerEntry(long incarnation, ActorRef<SlotOwner> ref) {
      this.incarnation = incarnation;
      this.ref = ref;
    }
  }

  private final FairnessSettings settings;
  private final Function<Integer, FairQueue> newQueue;
  private final Map<String, PoolState> pools = new TreeMap<>();
  private final Map<String, WorkerEntry> workers = new LinkedHashMap<>();
  private long epoch;
  private long epochSeen;

  CoordinatorState(FairnessSettings settings) {
    this(settings, accountsMax -> new FairQueue(accountsMax, settings.liftCreditCost()));
  }

  CoordinatorState(FairnessSettings settings, Function<Integer, FairQueue> newQueue) {
    this.settings = settings;
    this.newQueue = newQueue;
  }

  /** From now on it acts, under this epoch. */
  List<PoolState.Send> activate(long claimedEpoch, long nowMillis) {
    epoch = claimedEpoch;
    epochSeen = Math.max(epochSeen, claimedEpoch);
    return scheduleAll(nowMillis);
  }

  long epoch() {
    return epoch;
  }

  boolean isActive() {
    return epoch > 0 && epoch >= epochSeen;
  }

  /** Whether it had an epoch and another has a higher one. */
  boolean isSuperseded() {
    return epoch > 0 && epoch < epochSeen;
  }

  List<PoolState.Send> workerTable(FairnessCoordinator.WorkerTable table, long nowMillis) {
    epochSeen = Math.max(epochSeen, table.epoch());
    WorkerEntry entry = workers.get(table.worker());
    if (entry != null
        && (table.incarnation() < entry.incarnation
            || (table.incarnation() == entry.incarnation && table.version() <= entry.version))) {
      return List.of();
    }
    // Slots of an earlier incarnation go too, and who held them may have others.
    Set<String> touched = new LinkedHashSet<>(entry == null ? Set.of() : entry.pools);
    if (entry == null || table.incarnation() != entry.incarnation) {
      drop(table.worker());
      entry = new WorkerEntry(table.incarnation(), table.ref());
      workers.put(table.worker(), entry);
    }
    entry.version = table.version();
    entry.heardMillis = nowMillis;
    entry.lost = false;
    Set<String> changed = new LinkedHashSet<>();
    for (PoolTable poolTable : table.pools()) {
      PoolState pool = pool(poolTable.pool(), nowMillis);
      if (pool != null) {
        pool.table(table.worker(), table.incarnation(), table.ref(), poolTable, nowMillis);
        changed.add(poolTable.pool());
      }
    }
    for (String before : entry.pools) {
      PoolState pool = pools.get(before);
      if (!changed.contains(before) && pool != null) {
        pool.dropWorker(table.worker());
      }
    }
    touched.addAll(changed);
    entry.pools = Set.copyOf(changed);
    return schedule(touched, nowMillis, false);
  }

  List<PoolState.Send> demand(FairnessCoordinator.Demand demand, long nowMillis) {
    PoolState pool = pool(demand.pool(), nowMillis);
    if (pool == null) {
      return List.of();
    }
    List<PoolState.Send> sends = new ArrayList<>(pool.demand(demand, epoch, nowMillis));
    if (isActive()) {
      sends.addAll(pool.schedule(epoch, nowMillis, false));
    }
    return ifActive(sends);
  }

  /** What a tenant that waits may expect; null when it was told lately, or nothing is known. */
  SlotHolder.@Nullable Outlook outlook(FairnessCoordinator.Demand demand, long nowMillis) {
    PoolState pool = pools.get(demand.pool());
    return pool == null || !isActive() ? null : pool.outlook(demand, nowMillis);
  }

  /**
   * The worker's actor ended, or its node is gone; nothing from it can come any more, so its name
   * is free for a successor whose clock may be behind.
   */
  List<PoolState.Send> workerGone(ActorRef<SlotOwner> ref, long nowMillis) {
    List<String> gone =
        workers.entrySet().stream()
            .filter(worker -> worker.getValue().ref.equals(ref))
            .map(Map.Entry::getKey)
            .toList();
    for (String worker : gone) {
      drop(worker);
      workers.remove(worker);
      pools.values().forEach(pool -> pool.forgetWorker(worker));
    }
    return scheduleAll(nowMillis);
  }

  /** The tenant's actor ended, or its node is gone. */
  List<PoolState.Send> holderGone(ActorRef<SlotHolder> holder, long nowMillis) {
    List<PoolState.Send> sends = new ArrayList<>();
    for (PoolState pool : pools.values()) {
      sends.addAll(pool.holderGone(holder, epoch, nowMillis));
    }
    List<PoolState.Send> result = new ArrayList<>(ifActive(sends));
    result.addAll(scheduleAll(nowMillis));
    return result;
  }

  /** Looks at time-outs. */
  List<PoolState.Send> tick(long nowMillis) {
    workers.forEach(
        (name, entry) -> {
          if (!entry.lost && nowMillis - entry.heardMillis > settings.workerSilence().toMillis()) {
            drop(name);
          }
        });
    workers
        .entrySet()
        .removeIf(
            worker -> {
              WorkerEntry entry = worker.getValue();
              boolean over = entry.lost && nowMillis - entry.heardMillis > TOMBSTONE_MILLIS;
              if (over) {
                pools.values().forEach(pool -> pool.forgetWorker(worker.getKey()));
              }
              return over;
            });
    List<PoolState.Send> sends = new ArrayList<>();
    if (isActive()) {
      pools.values().forEach(pool -> sends.addAll(pool.expire(epoch, nowMillis)));
    }
    sends.addAll(scheduleAll(nowMillis));
    pools.values().removeIf(PoolState::isEmpty);
    return sends;
  }

  /** Addresses that still matter: of tenants with a demand remembered, and of holders of slots. */
  Set<ActorRef<SlotHolder>> holders() {
    Set<ActorRef<SlotHolder>> holders = new HashSet<>();
    pools.values().forEach(pool -> pool.addHolders(holders));
    return holders;
  }

  Collection<PoolState> pools() {
    return pools.values();
  }

  FairnessSnapshot snapshot(int offset, int limit, long messages) {
    int page = Math.min(limit, settings.snapshotMax());
    return new FairnessSnapshot(
        epoch, messages, pools.values().stream().map(pool -> pool.view(offset, page)).toList());
  }

  private void drop(String worker) {
    WorkerEntry entry = workers.get(worker);
    if (entry != null) {
      entry.lost = true;
      pools.values().forEach(pool -> pool.dropWorker(worker));
    }
  }

  private @Nullable PoolState pool(String name, long nowMillis) {
    PoolState pool = pools.get(name);
    if (pool == null && pools.size() < settings.poolsMax()) {
      pool = new PoolState(name, settings, nowMillis, newQueue);
      pools.put(name, pool);
    }
    return pool;
  }

  private List<PoolState.Send> scheduleAll(long nowMillis) {
    return schedule(pools.keySet(), nowMillis, true);
  }

  private List<PoolState.Send> schedule(Set<String> names, long nowMillis, boolean tick) {
    List<PoolState.Send> sends = new ArrayList<>();
    if (isActive()) {
      for (String name : names) {
        PoolState pool = pools.get(name);
        if (pool != null) {
          sends.addAll(pool.schedule(epoch, nowMillis, tick));
        }
      }
    }
    return sends;
  }

  private List<PoolState.Send> ifActive(List<PoolState.Send> sends) {
    return isActive() ? sends : List.of();
  }
}
