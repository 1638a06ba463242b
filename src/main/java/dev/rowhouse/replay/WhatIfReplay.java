package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.Estimator;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.RecordReader;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Located;
import dev.rowhouse.usage.UsageJournal;
import dev.rowhouse.usage.UsageRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * The recorded arrivals in a simulated pool for each model, twice: on the terms of now, and on
 * changed ones. Pools do not meet: a request uses one.
 */
final class WhatIfReplay {
  /** Copies of a request come so near to it: the load keeps its shape and loses its lockstep. */
  private static final long COPY_SPREAD_MILLIS = 10_000;

  private final Replay replay;
  private final ReplayRequest.WhatIf request;
  private final RecordReader records;
  private final ReplaySettings settings;
  private final FairnessSettings fairness;
  private final Arrivals arrivals;
  private final Map<String, TenantTerms> terms = new TreeMap<>();

  WhatIfReplay(
      Replay replay,
      ReplayRequest.WhatIf request,
      RecordReader records,
      ReplaySettings settings,
      FairnessSettings fairness) {
    this.replay = replay;
    this.request = request;
    this.records = records;
    this.settings = settings;
    this.fairness = fairness;
    this.arrivals = new Arrivals(settings.whatIfRecordsMax());
  }

  /** Reads a tenant's requests; lines come when all are read. */
  Source<ObjectNode, NotUsed> read(TenantId tenant) {
    UsageJournal.Tally count =
        new UsageJournal.Tally() {
          @Override
          public void counted(UsageRecord record) {
            replay.progress.record();
          }

          @Override
          public void taken(UsageRecord record) {}
        };
    Source<ObjectNode, NotUsed> reading =
        replay
            .journal
            .survey(tenant, request.scope().range(), null, count)
            .flatMapConcat(
                survey -> {
                  replay.surveyed(survey);
                  return replay.journal.records(survey);
                })
            .mapConcat(
                located -> {
                  for (Located one : located) {
                    arrivals.add(tenant.value(), one.record());
                  }
                  return List.<ObjectNode>of();
                });
    Source<ObjectNode, NotUsed> profile =
        Source.lazyCompletionStage(() -> records.profile(tenant, ""))
            .mapConcat(
                found -> {
                  terms.put(
                      tenant.value(),
                      TenantTerms.of(
                          found.orElse(null),
                          replay.house.plan(found.map(one -> one.plan()).orElse(""))));
                  return List.<ObjectNode>of();
                })
            .mapMaterializedValue(ignored -> NotUsed.getInstance());
    return replay.guarded(tenant, profile.concat(reading));
  }

  /** The simulations, when everything was read. */
  Source<ObjectNode, NotUsed> lines() {
    return Source.lazySource(
            () -> {
              try {
                return simulations();
              } catch (ReplayProblem problem) {
                return Source.<ObjectNode>failed(problem);
              }
            })
        .mapMaterializedValue(ignored -> NotUsed.getInstance());
  }

  private Source<ObjectNode, NotUsed> simulations() {
    int recorded = arrivals.count();
    Map<String, TenantTerms> changed = changedTerms();
    checkSlots();
    addCopies();
    return Source.from(Arrays.stream(arrivals.models()).boxed().toList())
        .mapConcat(model -> pool(model, recorded, changed))
        .concat(Source.lazySingle(this::summary));
  }

  private ObjectNode summary() {
    ObjectNode line = Json.object();
    line.putObject("total")
        .put("requests", arrivals.count())
        .put("left_out", arrivals.leftOut())
        .put("seed", request.changes().seed());
    return line;
  }

  private Map<String, TenantTerms> changedTerms() {
    Changes changes = request.changes();
    Map<String, TenantTerms> changed = new TreeMap<>(terms);
    changes
        .weights()
        .forEach(
            (tenant, weight) ->
                changed.put(tenant.value(), known("weights", tenant).with(weight, null)));
    changes
        .reservations()
        .forEach(
            (tenant, reservation) ->
                changed.merge(
                    tenant.value(),
                    known("reservations", tenant).with(null, reservation),
                    (before, other) -> before.with(null, reservation)));
    for (Changes.Added added : changes.added()) {
      TenantTerms like = known("add", added.like());
      if (terms.containsKey(added.tenant().value())) {
        throw ReplayProblem.badRequest("add", "names '" + added.tenant() + "', which is there.");
      }
      changed.put(added.tenant().value(), like.with(added.weight(), null));
    }
    return changed;
  }

  private TenantTerms known(String field, TenantId tenant) {
    TenantTerms known = terms.get(tenant.value());
    if (known == null) {
      throw ReplayProblem.badRequest(
          field + "." + tenant,
          field + " names '" + tenant + "', which is none of the replayed tenants.");
    }
    return known;
  }

  private void checkSlots() {
    List<String> pools = Arrays.stream(arrivals.models()).mapToObj(arrivals::name).toList();
    for (String pool : new TreeMap<>(request.changes().slots()).keySet()) {
      if (!pools.contains(pool)) {
        throw ReplayProblem.badRequest(
            "slots." + pool,
            "slots names '"
                + pool
                + "', which answered none of the replayed requests; these did: "
                + String.join(", ", pools)
                + ".");
      }
    }
  }

  private void addCopies() {
    SplittableRandom random = new SplittableRandom(request.changes().seed());
    int recorded = arrivals.count();
    for (Changes.Added added : request.changes().added()) {
      int like = arrivals.number(added.like().value());
      int copy = arrivals.number(added.tenant().value());
      for (int row = 0; row < recorded; row++) {
        if (arrivals.tenant(row) == like) {
          int copies = (int) added.times() + (random.nextDouble() < added.times() % 1 ? 1 : 0);
          for (int i = 0; i < copies; i++) {
            arrivals.add(
                arrivals.timeMillis(row) + random.nextLong(COPY_SPREAD_MILLIS),
                copy,
                arrivals.model(row),
                arrivals.inputTokens(row),
                arrivals.outputTokens(row),
                arrivals.runMillis(row),
                Arrivals.UNKNOWN);
          }
        }
      }
    }
  }

  private List<ObjectNode> pool(int model, int recorded, Map<String, TenantTerms> changed) {
    int[] all = arrivals.ofModel(model);
    int[] before = Arrays.stream(all).filter(row -> row < recorded).toArray();
    String name = arrivals.name(model);
    ServiceModel service = ServiceModel.of(arrivals, before);
    int slots = slots(name, before, service);
    Integer otherSlots = request.changes().slots().get(name);
    PoolSimulation baseline = simulate(name, before, terms, slots, null, service);
    PoolSimulation whatIf =
        simulate(
            name,
            all,
            changed,
            otherSlots == null ? slots : otherSlots,
            request.changes().estimator(),
            service);
    List<ObjectNode> lines = new ArrayList<>();
    ObjectNode line = Json.object();
    lines.add(line);
    ObjectNode pool = line.putObject("pool").put("pool", name);
    pool.put("slots_from", replay.house.catalog().model(name) == null ? "records" : "catalog");
    pool.putObject("service")
        .put("base_ms", round(service.baseMillis()))
        .put("ms_per_input_token", round(service.inputTokenMillis()))
        .put("ms_per_output_token", round(service.outputTokenMillis()))
        .put("runs", service.known());
    describe(pool.putObject("baseline"), slots, baseline);
    describe(pool.putObject("what_if"), otherSlots == null ? slots : otherSlots, whatIf);
    Map<String, Waits> waits = recordedWaits(before);
    Map<String, PoolTenant> baselines = new TreeMap<>();
    baseline.tenants().forEach(tenant -> baselines.put(tenant.name, tenant));
    for (PoolTenant tenant : whatIf.tenants()) {
      if (tenant.arrived > 0) {
        lines.add(tenantLine(name, tenant, whatIf, baselines.get(tenant.name), baseline, waits));
      }
    }
    return lines;
  }

  private static ObjectNode tenantLine(
      String pool,
      PoolTenant tenant,
      PoolSimulation whatIf,
      @Nullable PoolTenant before,
      PoolSimulation baseline,
      Map<String, Waits> recorded) {
    ObjectNode line = Json.object();
    ObjectNode result = line.putObject("result").put("pool", pool).put("tenant", tenant.name);
    Waits waits = recorded.get(tenant.name);
    if (waits != null) {
      waits.add(result.putObject("recorded_wait"));
    }
    if (before != null) {
      add(result.putObject("baseline"), before, baseline);
    }
    add(result.putObject("what_if"), tenant, whatIf);
    return line;
  }

  private static void add(ObjectNode node, PoolTenant tenant, PoolSimulation pool) {
    double cost = pool.tenants().stream().mapToDouble(one -> one.cost).sum();
    double contended = pool.tenants().stream().mapToDouble(one -> one.contendedCost).sum();
    tenant.add(node, cost, contended, pool.contendedMillis());
    node.remove("tenant");
  }

  private static void describe(ObjectNode node, int slots, PoolSimulation pool) {
    long tokens =
        pool.tenants().stream().mapToLong(one -> one.inputTokens + one.outputTokens).sum();
    double seconds = pool.spanMillis() / 1e3;
    node.put("slots", slots)
        .put("requests", pool.tenants().stream().mapToLong(one -> one.arrived).sum())
        .put("served", pool.tenants().stream().mapToLong(PoolTenant::served).sum())
        .put("tokens", tokens)
        .put("seconds", seconds)
        .put("tokens_per_second", seconds > 0 ? round(tokens / seconds) : 0)
        .put("utilisation", pool.utilisation())
        .put("contended_seconds", round(pool.contendedMillis() / 1e3));
  }

  private PoolSimulation simulate(
      String pool,
      int[] rows,
      Map<String, TenantTerms> of,
      int slots,
      Changes.@Nullable Estimate estimate,
      ServiceModel service) {
    ModelSpec model = replay.house.catalog().model(pool);
    boolean reserves = model == null || !model.isEmbedder();
    Map<Integer, PoolTenant> present = new LinkedHashMap<>();
    for (int row : rows) {
      String tenant = arrivals.name(arrivals.tenant(row));
      TenantTerms one = of.get(tenant);
      if (one == null) {
        throw new IllegalStateException("no terms of " + tenant);
      }
      present.computeIfAbsent(arrivals.tenant(row), _ -> one.inPool(tenant, reserves));
    }
    PoolSimulation.Setting setting =
        new PoolSimulation.Setting(
            slots,
            (int) (fairness.smallShare() * slots),
            fairness.smallCostMax(),
            fairness.liftCreditCost(),
            estimate == null ? estimateOf(model) : estimate,
            model == null ? 1 : model.inputWeight(),
            model == null ? 2 : model.outputWeight(),
            settings.progressCharge().toMillis());
    List<PoolTenant> tenants =
        present.values().stream().sorted((one, other) -> one.name.compareTo(other.name)).toList();
    PoolSimulation simulation = new PoolSimulation(setting, tenants, replay.progress::isCancelled);
    simulation.run(arrivals, rows, service);
    return simulation;
  }

  /** What requests declared is not recorded; the moving mean is what serving takes without it. */
  private static Changes.Estimate estimateOf(@Nullable ModelSpec model) {
    return model != null && model.estimator() == Estimator.ZERO
        ? Changes.Estimate.ZERO
        : Changes.Estimate.MOVING_MEAN;
  }

  /** The slots of the pool now; of a model that is gone, as many as ever ran at once. */
  private int slots(String pool, int[] rows, ServiceModel service) {
    Catalog catalog = replay.house.catalog();
    ModelSpec model = catalog.model(pool);
    if (model == null) {
      return mostAtOnce(rows, service);
    }
    Integer total = model.slotsTotal();
    return Math.max(1, total == null ? model.slots() * Math.max(1, replay.house.workers()) : total);
  }

  private int mostAtOnce(int[] rows, ServiceModel service) {
    PriorityQueue<Long> ends = new PriorityQueue<>();
    int[] byBegin =
        Arrays.stream(rows)
            .boxed()
            .sorted((one, other) -> Long.compare(beginMillis(one), beginMillis(other)))
            .mapToInt(Integer::intValue)
            .toArray();
    int most = 1;
    for (int row : byBegin) {
      long begin = beginMillis(row);
      Long end = ends.peek();
      while (end != null && end <= begin) {
        ends.remove();
        end = ends.peek();
      }
      ends.add(begin + service.runMillis(arrivals, row));
      most = Math.max(most, ends.size());
    }
    return most;
  }

  private long beginMillis(int row) {
    return arrivals.timeMillis(row) + Math.max(0, arrivals.queueMillis(row));
  }

  private Map<String, Waits> recordedWaits(int[] rows) {
    Map<String, Waits> waits = new TreeMap<>();
    for (int row : rows) {
      if (arrivals.queueMillis(row) != Arrivals.UNKNOWN) {
        waits
            .computeIfAbsent(arrivals.name(arrivals.tenant(row)), _ -> new Waits())
            .add(arrivals.queueMillis(row));
      }
    }
    return waits;
  }

  private static double round(double value) {
    return Math.round(value * 1000) / 1000.0;
  }
}
