package dev.rowhouse.fairness;

import dev.rowhouse.fairness.StartDecision.Reason;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * All slots of one worker: a {@link SlotTable} for each model, the highest epoch seen. Pure; the
 * worker's actor sends what the effects ask for.
 */
public class WorkerSlots {

  private static final class Pool {
    final SlotTable table;
    ModelSpec model;

    /** At most so many slots are open, whatever the catalog says. */
    int cap = Integer.MAX_VALUE;

    Pool(SlotTable table, ModelSpec model) {
      this.table = table;
      this.model = model;
    }
  }

  private final String worker;
  private final long incarnation;

  /** Closed pools stay: their slots' numbers must not begin again. Bounded by models ever known. */
  private final Map<String, Pool> pools = new LinkedHashMap<>();

  private long epoch;
  private long version;
  private boolean closed;

  /**
   * Without any slot, until the catalog comes.
   *
   * @param incarnation which start of this worker; a later one is larger
   */
  public WorkerSlots(String worker, long incarnation) {
    this.worker = worker;
    this.incarnation = incarnation;
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
      SlotTicket ticket, String attempt, long inputTokens, long outputTokens, long nowMillis) {
    Pool pool = pools.get(ticket.pool());
    if (pool == null) {
      return List.of();
    }
    double cost = pool.model.cost(inputTokens, outputTokens);
    return pool.table.finish(ticket.slot(), attempt, cost, nowMillis);
  }

  /** Unused tickets again, for holders that the first message did not reach. */
  public List<SlotEffect> repeatMints() {
    return pools.values().stream().flatMap(pool -> pool.table.repeatMints().stream()).toList();
  }

  /** The whole state for the coordinator, under a version of its own. */
  public FairnessCoordinator.WorkerTable table(ActorRef<SlotOwner> self) {
    version++;
    List<PoolTable> tables = new ArrayList<>(pools.size());
    pools.forEach(
        (name, pool) -> {
          List<PoolTable.GoneSlot> gone = pool.table.gone();
          if (pool.table.size() > 0 || !gone.isEmpty()) {
            tables.add(
                new PoolTable(
                    name,
                    pool.model.inputWeight(),
                    pool.model.outputWeight(),
                    pool.model.slotsTotal(),
                    pool.table.rows(),
                    gone));
          }
        });
    return new FairnessCoordinator.WorkerTable(worker, incarnation, version, epoch, self, tables);
  }

  /** The slots of one pool as they are now. */
  List<PoolTable.SlotRow> rows(String pool) {
    Pool known = pools.get(pool);
    return known == null ? List.of() : known.table.rows();
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
