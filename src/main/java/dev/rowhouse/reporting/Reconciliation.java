package dev.rowhouse.reporting;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Located;
import dev.rowhouse.usage.SegmentId;
import dev.rowhouse.usage.WholeLedger;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares, for one tenant at a time, what its ledger comes to with the sum of its records and with
 * the query tables, by persistence id; and rebuilds the tables of a tenant that differs.
 *
 * <p>It may run on any node, several at once: the tenant is locked in an SQL database while its
 * figures are read and while they are replaced, and never while the journal is read; on Cassandra
 * the first to replace an hour wins. Events that come meanwhile are beyond what is compared, and
 * their rows stay.
 */
public final class Reconciliation {
  private static final Logger LOG = LoggerFactory.getLogger(Reconciliation.class);

  /** Why a figure differs. */
  public enum Kind {
    /** Nothing of a segment is in the tables: it was written before there were tags. */
    MISSING,
    /** A segment's records and its rows differ. */
    SEGMENT,
    /** The hours are not what was folded. */
    FOLDED,
    /** The segments agree, and the tenant's total does not: an attempt counts twice, or not. */
    TOTAL,
    /** The ledger's own total is not the sum of the records that count: a fault in its rules. */
    LEDGER
  }

  /** One figure that is not what it should be. */
  public record Difference(
      TenantId tenant, Kind kind, String persistenceId, Sums expected, Sums found) {}

  /**
   * What came of one tenant.
   *
   * @param total what its ledger comes to
   * @param doubt why it was looked at again; a difference is then what was expected
   * @param repaired whether its tables were rebuilt
   */
  public record Outcome(
      TenantId tenant,
      int segments,
      Sums total,
      List<Difference> differences,
      @Nullable String doubt,
      boolean repaired) {
    public Outcome {
      differences = List.copyOf(differences);
    }

    /** Whether somebody has to hear of it: more than a doubt that was settled or a first fill. */
    public boolean isAlarming() {
      return differences.stream()
          .anyMatch(
              it ->
                  switch (it.kind()) {
                    case MISSING -> false;
                    case TOTAL -> doubt == null;
                    case SEGMENT, FOLDED, LEDGER -> true;
                  });
    }
  }

  private final UsageStore store;
  private final Fence fence;
  private final Executor blocking;
  private final WholeLedger ledgers;
  private final InstantSource clock;
  private final ReconcileCounts counts;
  private final Witness witness;

  Reconciliation(
      UsageStore store,
      Fence fence,
      Executor blocking,
      WholeLedger ledgers,
      InstantSource clock,
      ReconcileCounts counts,
      Witness witness) {
    this.store = store;
    this.fence = fence;
    this.blocking = blocking;
    this.ledgers = ledgers;
    this.clock = clock;
    this.counts = counts;
    this.witness = witness;
  }

  /** Tenants that have a ledger and come after one, in order; those offboarded among them. */
  public CompletionStage<List<TenantId>> tenants(@Nullable String after, int limit) {
    String prefix = SegmentId.fencePrefix();
    return CompletableFuture.supplyAsync(
            () -> fence.names(prefix, after == null ? prefix : prefix + after, limit), blocking)
        .thenApply(
            names ->
                names.stream().map(name -> new TenantId(name.substring(prefix.length()))).toList());
  }

  CompletionStage<List<TenantId>> doubtful(int max) {
    return CompletableFuture.supplyAsync(() -> store.doubtful(max), blocking)
        .thenApply(names -> names.stream().map(TenantId::new).toList());
  }

  /**
   * Compares one tenant.
   *
   * @param repair whether tables that differ are rebuilt
   */
  public CompletionStage<Outcome> check(TenantId tenant, boolean repair) {
    long startedMillis = clock.millis();
    return figures(tenant, startedMillis)
        .thenCompose(
            figures -> {
              Map<Long, Sums> records = new HashMap<>();
              return ledgers
                  .read(
                      tenant,
                      figures.upTo(),
                      (segment, sequence, event) ->
                          Group.sums(event)
                              .values()
                              .forEach(sums -> records.merge(segment, sums, Sums::plus)))
                  .thenCompose(
                      reading ->
                          conclude(tenant, figures, records, reading, repair, startedMillis));
            });
  }

  private CompletionStage<TenantFigures> figures(TenantId tenant, long nowMillis) {
    return fence
        .claims(SegmentId.fenceName(tenant), blocking)
        .thenApplyAsync(
            claims ->
                store.figures(tenant, claims.stream().map(Fence.Claim::number).toList(), nowMillis),
            blocking);
  }

  private CompletionStage<Outcome> conclude(
      TenantId tenant,
      TenantFigures figures,
      Map<Long, Sums> records,
      WholeLedger.Reading reading,
      boolean repair,
      long startedMillis) {
    List<Difference> differences = differences(tenant, figures, records, reading);
    boolean rebuild = repair && differences.stream().anyMatch(it -> it.kind() != Kind.LEDGER);
    CompletionStage<Boolean> repaired =
        rebuild
            ? rebuild(tenant, figures, startedMillis)
            : endDoubt(tenant, figures, differences, startedMillis);
    return repaired.thenApply(
        done -> {
          Outcome outcome =
              new Outcome(
                  tenant,
                  figures.upTo().size(),
                  Sums.of(reading.totals()),
                  differences,
                  figures.doubt(),
                  done);
          counts.add(outcome);
          tell(outcome);
          if (outcome.isAlarming()) {
            witness.alarm(outcome);
          }
          return outcome;
        });
  }

  private CompletionStage<Boolean> endDoubt(
      TenantId tenant, TenantFigures figures, List<Difference> differences, long startedMillis) {
    return figures.doubt() == null || !differences.isEmpty()
        ? CompletableFuture.completedFuture(false)
        : CompletableFuture.supplyAsync(
            () -> {
              store.endDoubt(tenant, startedMillis);
              return false;
            },
            blocking);
  }

  static List<Difference> differences(
      TenantId tenant,
      TenantFigures figures,
      Map<Long, Sums> records,
      WholeLedger.Reading reading) {
    List<Difference> differences = new ArrayList<>();
    TreeSet<Long> segments = new TreeSet<>(figures.upTo().keySet());
    segments.addAll(figures.bySegment().keySet());
    Sums sum = Sums.NONE;
    for (long segment : segments) {
      Sums expected = records.getOrDefault(segment, Sums.NONE);
      Sums found = figures.bySegment().getOrDefault(segment, Sums.NONE);
      sum = sum.plus(expected);
      if (!expected.equals(found)) {
        Kind kind = figures.bySegment().containsKey(segment) ? Kind.SEGMENT : Kind.MISSING;
        differences.add(
            new Difference(
                tenant, kind, new SegmentId(tenant, segment).persistenceId(), expected, found));
      }
    }
    for (Located doubled : reading.doubled()) {
      sum = sum.plus(Sums.of(doubled.record()).negated());
    }
    String all = SegmentId.fenceName(tenant);
    Sums ledger = Sums.of(reading.totals());
    if (!ledger.equals(sum)) {
      differences.add(new Difference(tenant, Kind.LEDGER, all, sum, ledger));
    }
    if (!figures.hours().equals(figures.folded())) {
      differences.add(new Difference(tenant, Kind.FOLDED, all, figures.folded(), figures.hours()));
    }
    if (differences.isEmpty() && !figures.total().equals(sum)) {
      differences.add(new Difference(tenant, Kind.TOTAL, all, sum, figures.total()));
    }
    return differences;
  }

  /** Reads the ledger once more, this time by group, and puts it in place of the tables. */
  private CompletionStage<Boolean> rebuild(
      TenantId tenant, TenantFigures figures, long startedMillis) {
    Map<Long, Map<Group, Sums>> bySegment = new HashMap<>();
    return ledgers
        .read(
            tenant,
            figures.upTo(),
            (segment, sequence, event) ->
                Group.sums(event)
                    .forEach(
                        (group, sums) ->
                            bySegment
                                .computeIfAbsent(segment, _ -> new HashMap<>())
                                .merge(group, sums, Sums::plus)))
        .thenApplyAsync(
            reading -> {
              store.rebuild(tenant, figures, bySegment, reading.doubled(), startedMillis);
              return true;
            },
            blocking);
  }

  private static void tell(Outcome outcome) {
    for (Difference difference : outcome.differences()) {
      String text = "usage of {} differs ({}) at {}: the ledger has {}, the tables had {}; {}{}";
      Object[] values = {
        outcome.tenant(),
        difference.kind(),
        difference.persistenceId(),
        difference.expected(),
        difference.found(),
        outcome.repaired() ? "rebuilt" : "not rebuilt",
        outcome.doubt() == null ? "" : "; it was in doubt: " + outcome.doubt()
      };
      if (outcome.isAlarming()) {
        LOG.warn(text, values);
      } else {
        LOG.info(text, values);
      }
    }
  }
}
