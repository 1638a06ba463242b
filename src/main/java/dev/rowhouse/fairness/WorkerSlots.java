package dev.rowhouse.fairness;

import dev.rowhouse.fairness.PoolTable.CostRow;
import dev.rowhouse.fairness.StartDecision.Reason;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * All slots of one worker: a {@link SlotTable} for each model, the highest epoch seen, and what the
 * tenants' runs have cost. Pure; the worker's actor sends what the effects ask for.
 */
public class WorkerSlots {

  private static final class Pool {
    final SlotTable table;
    ModelSpec model;

    /** At most so many slots are open, whatever the catalog says. */
    int cap = Integer.MAX_VALUE;

    final Map<String, Cost> costs = new HashMap<>();

    Pool(SlotTable table, ModelSpec model) {
      this.table = table;
      this.model = model;
    }
  }

  private static final class Cost {
    final long opened;
    double cumulativeCost;
    long runs;
    long busyMillis;
    long lastMillis;

    Cost(long opened) {
      this.opened = opened;
    }
  }

  private final String worker;
  private final long incarnation;
  private final long costQuietMillis;

  /** Closed pools stay: their slots' numbers must not begin again. Bounded by models ever known. */
  private final Map<String, Pool> pools = new LinkedHashMap<>();

  private long epoch;
  private long version;
  private boolean closed;

  /**
   * Without any slot, until the catalog comes.
   *
   * @param incarnation which start of this worker; a later one is larger
   * @param costQuietMillis how long a cost row is reported after the tenant's last run
   */
  public WorkerSlots(String worker, long incarnation, long costQuietMillis) {
    this.worker = worker;
    this.incarnation = incarnation;
    this.costQuietMillis = costQuietMillis;
  }

  SlotTable newTable(String pool) {
    return new SlotTable(pool, worker, incarnation);
  }

  /** Opens, grows, shrinks and closes pools as the catalog says. */
  public List<SlotEffect> catalog(Catalog catalog) {
    for (ModelSpec model : catalog.models().values()) {
      Pool pool = pools.get(model.name());
      if (pool == null) {
        pools.put(model.name(), new Pool(newTable(model.name()), model));
      } else {
        pool.model = model;
      }
    }
    pools.forEach(
        (name, pool) -> {
          if (!catalog.models().containsKey(name)) {
            pool.model = withoutSlots(pool.model);
          }
        });
    return resize();
  }

  /** Takes nothing new: idle slots go at once, the others after their runs; or opens again. */
  public List<SlotEffect> close(boolean close) {
    closed = close;
    return resize();
  }

  /**
   * At most so many slots of the pool are open here until the next word; {@link Integer#MAX_VALUE}
   * lifts it. Idle slots above it go at once, the others after their runs.
   */
  public List<SlotEffect> cap(String pool, int slotsMax) {
    Pool capped = pools.get(pool);
    if (capped == null || capped.cap == slotsMax) {
      return List.of();
    }
    capped.cap = slotsMax;
    return resize();
  }

  public List<SlotEffect> on(SlotOwner.SlotCommand command) {
    return switch (command) {
      case SlotOwner.Grant grant -> {
        Pool pool = pools.get(grant.pool());
        yield pool == null || isOld(grant.epoch()) ? List.of() : pool.table.grant(grant);
      }
      case SlotOwner.Recall recall -> {
        Pool pool = pools.get(recall.pool());
        yield pool == null || isOld(recall.epoch())
            ? List.of()
            : pool.table.recall(recall.slot(), recall.seq());
      }
      case SlotOwner.Reclaim reclaim -> {
        Pool pool = pools.get(reclaim.pool());
        yield pool == null || isOld(reclaim.epoch())
            ? List.of()
            : pool.table.reclaim(reclaim.slot(), reclaim.seq());
      }
      case SlotOwner.Return giveBack -> {
        Pool pool = pools.get(giveBack.ticket().pool());
        yield pool == null ? List.of() : pool.table.giveBack(giveBack.ticket());
      }
    };
  }

  public StartDecision start(SlotTicket ticket, String tenant, String attempt, long nowMillis) {
    Pool pool = pools.get(ticket.pool());
    if (pool == null) {
      return new StartDecision.Refused(Reason.UNKNOWN_SLOT);
    }
    return pool.table.start(ticket, tenant, attempt, nowMillis);
  }

  /** A run has spent so many tokens by now. It rides the next table; nothing is sent for it. */
  public void progress(SlotTicket ticket, String attempt, long inputTokens, long outputTokens) {
    Pool pool = pools.get(ticket.pool());
    if (pool != null) {
      pool.table.progress(ticket.slot(), attempt, pool.model.cost(inputTokens, outputTokens));
    }
  }

  /** A run is over and has spent so many tokens. */
  public List<SlotEffect> finish(
      SlotTicket ticket,
      String tenant,
      String attempt,
      long inputTokens,
      long outputTokens,
      long nowMillis) {
    Pool pool = pools.get(ticket.pool());
    if (pool == null) {
      return List.of();
    }
    Cost cost = pool.costs.computeIfAbsent(tenant, _ -> new Cost(version + 1));
    cost.cumulativeCost += pool.model.cost(inputTokens, outputTokens);
    cost.runs++;
    cost.busyMillis += pool.table.ranMillis(ticket.slot(), attempt, nowMillis);
    cost.lastMillis = nowMillis;
    return pool.table.finish(ticket.slot(), attempt);
  }

  /** Unused tickets again, for holders that the first message did not reach. */
  public List<SlotEffect> repeatMints() {
    return pools.values().stream().flatMap(pool -> pool.table.repeatMints().stream()).toList();
  }

  /** The whole state for the coordinator, under a version of its own. */
  public FairnessCoordinator.WorkerTable table(ActorRef<SlotOwner> self, long nowMillis) {
    version++;
    List<PoolTable> tables = new ArrayList<>(pools.size());
    pools.forEach(
        (name, pool) -> {
          pool.costs.values().removeIf(cost -> nowMillis - cost.lastMillis > costQuietMillis);
          List<CostRow> costs = new ArrayList<>(pool.costs.size());
          pool.costs.forEach(
              (tenant, cost) ->
                  costs.add(
                      new CostRow(
                          tenant, cost.opened, cost.cumulativeCost, cost.runs, cost.busyMillis)));
          if (pool.table.size() > 0 || !costs.isEmpty()) {
            tables.add(
                new PoolTable(
                    name,
                    pool.model.inputWeight(),
                    pool.model.outputWeight(),
                    pool.model.slotsTotal(),
                    pool.table.rows(),
                    costs));
          }
        });
    return new FairnessCoordinator.WorkerTable(worker, incarnation, version, epoch, self, tables);
  }

  public long epoch() {
    return epoch;
  }

  public int running() {
    return pools.values().stream().mapToInt(pool -> pool.table.running()).sum();
  }

  /** How many slots each pool has; closed pools are left out. */
  public Map<String, Integer> sizes() {
    Map<String, Integer> sizes = new LinkedHashMap<>();
    pools.forEach(
        (name, pool) -> {
          if (pool.table.size() > 0) {
            sizes.put(name, pool.table.size());
          }
        });
    return sizes;
  }

  /** Whether a later coordinator is known; a test of the tests overrides it. */
  boolean isOld(long commandEpoch) {
    epoch = Math.max(epoch, commandEpoch);
    return commandEpoch < epoch;
  }

  private List<SlotEffect> resize() {
    List<SlotEffect> effects = new ArrayList<>();
    pools.values().forEach(pool -> effects.addAll(pool.table.resize(closed ? 0 : wanted(pool))));
    return effects;
  }

  /** Under a cluster-wide bound each worker could run all of it; the coordinator divides. */
  private static int wanted(Pool pool) {
    Integer total = pool.model.slotsTotal();
    return Math.min(pool.cap, total != null ? total : pool.model.slots());
  }

  private static ModelSpec withoutSlots(ModelSpec model) {
    return new ModelSpec(
        model.name(),
        model.engine(),
        model.baseUrl(),
        model.upstreamModel(),
        model.apiKeyRef(),
        0,
        null,
        model.inputPerMillion(),
        model.outputPerMillion(),
        model.inputWeight(),
        model.outputWeight(),
        model.region(),
        model.owner());
  }
}
