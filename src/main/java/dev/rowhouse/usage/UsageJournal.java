package dev.rowhouse.usage;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * The usage of all tenants as the journal tells it, for those who compute figures again. It never
 * asks a ledger and writes nothing; it may be read on any node, and while no node runs.
 *
 * <p>A record counts when it is the best of its attempt ({@link Located#BEST_FIRST}), wherever the
 * others stand. One reading finds out: it counts what is new, puts aside what may tell of an
 * attempt again, and looks for all records of those attempts only when there are any. What is
 * remembered of attempts is bounded ({@link AttemptsSeen}), so an old journal may need that second
 * look, never more memory.
 *
 * <p>Copies of an attempt whose times lie on both sides of a range's end, more than a day from it,
 * are not compared: they all come from one admission.
 */
public final class UsageJournal {
  /** Attempts that may stand in the journal twice; late writes and lost settlements are rare. */
  private static final int DOUBTFUL_MAX = 1_000_000;

  private static final long COPY_APART_MILLIS = 24L * 3600 * 1000;

  private static final String PREFIX = "usage|";

  private final ActorSystem<?> system;
  private final Fence fence;
  private final Executor blocking;
  private final LedgerSettings settings;
  private final int attemptsMax;

  /**
   * The journal behind the ledgers of those settings.
   *
   * @param attemptsMax attempts remembered while a tenant is read, twice as many at most
   */
  public UsageJournal(
      ActorSystem<?> system, Fence fence, LedgerSettings settings, int attemptsMax) {
    this.system = system;
    this.fence = fence;
    this.settings = settings;
    this.attemptsMax = attemptsMax;
    this.blocking =
        system.dispatchers().lookup(DispatcherSelector.fromConfig(settings.blockingDispatcher()));
  }

  /** Hears of the records that count, in the order of the journal. */
  public interface Tally {
    void counted(UsageRecord record);

    /** A record that was counted does not count after all. */
    void taken(UsageRecord record);
  }

  /** Tenants that have a ledger, by id, after that one. */
  public CompletionStage<List<TenantId>> tenants(@Nullable TenantId after, int limit) {
    return CompletableFuture.supplyAsync(
        () ->
            fence.names(PREFIX, after == null ? PREFIX : PREFIX + after.value(), limit).stream()
                .map(name -> name.substring(PREFIX.length()))
                .filter(TenantId::isValid)
                .map(TenantId::new)
                .toList(),
        blocking);
  }

  /** How many tenants have a ledger. */
  public CompletionStage<Long> countTenants() {
    return CompletableFuture.supplyAsync(() -> fence.countNames(PREFIX), blocking);
  }

  /** Whether anything of a tenant of that id was ever written: its record or its usage. */
  public CompletionStage<Boolean> isKnown(TenantId tenant) {
    return CompletableFuture.supplyAsync(
        () ->
            fence.latest(SegmentReader.fenceName(tenant)) > 0
                || fence.latest("tenant|" + tenant.value()) > 0,
        blocking);
  }

  /**
   * The figures that a ledger would start with: of a snapshot, where there is one, and the rows
   * after it. It is what a replay is compared with while no ledger runs.
   */
  public CompletionStage<LedgerReply.CutNow> recovered(
      TenantId tenant, UsageLedger.@Nullable Buckets buckets) {
    LedgerHome home =
        LedgerHome.of(
            system, tenant, ZoneOffset.UTC, fence, settings, "replay", InstantSource.system());
    CompletableFuture<LedgerReply.CutNow> answer = new CompletableFuture<>();
    system.systemActorOf(
        Behaviors.<LedgerLoader.Outcome>setup(
            context -> {
              context.watch(context.spawnAnonymous(LedgerLoader.create(home, context.getSelf())));
              return Behaviors.receive(LedgerLoader.Outcome.class)
                  .onAnyMessage(
                      outcome -> {
                        switch (outcome) {
                          case LedgerLoader.Loaded loaded ->
                              answer.complete(LedgerQueries.cut(loaded.state(), buckets));
                          case LedgerLoader.LoadFailed failed ->
                              answer.completeExceptionally(failed.cause());
                        }
                        return Behaviors.stopped();
                      })
                  // A loader that breaks says nothing, and nobody waits for it without an end.
                  .onSignal(Terminated.class, _ -> Behaviors.stopped())
                  .onSignal(
                      PostStop.class,
                      _ -> {
                        answer.completeExceptionally(
                            new IllegalStateException(
                                "reading the ledger of " + tenant.value() + " broke off"));
                        return Behaviors.same();
                      })
                  .build();
            }),
        "recovered-" + tenant.value() + "-" + Long.toHexString(System.nanoTime()),
        Props.empty());
    return answer;
  }

  /**
   * Reads a tenant's journal once and tells the tally what counts; one element when it is done.
   *
   * @param upTo the sequence number up to which each segment is read, as a ledger has read it;
   *     absent: all there is
   */
  public Source<Survey, NotUsed> survey(
      TenantId tenant, TimeRange range, @Nullable Map<Long, Long> upTo, Tally tally) {
    CompletionStage<Map<Long, Long>> segments =
        upTo == null
            ? fence.claims(SegmentReader.fenceName(tenant), blocking).thenApply(UsageJournal::whole)
            : CompletableFuture.completedFuture(new TreeMap<>(upTo));
    SegmentReader reader = new SegmentReader(system, tenant, settings.readJournal());
    return Source.completionStage(segments)
        .flatMapConcat(
            wanted -> {
              SegmentRows rows = new SegmentRows(reader, tenant);
              Reading reading =
                  new Reading(range, COPY_APART_MILLIS, attemptsMax, DOUBTFUL_MAX, tally);
              return all(rows, wanted)
                  .map(
                      row -> {
                        reading.take(row);
                        return row;
                      })
                  .fold(reading, (same, row) -> same)
                  .flatMapConcat(done -> resolved(reader, tenant, done))
                  .map(
                      done ->
                          new Survey(
                              tenant,
                              range,
                              done.read(),
                              done.skipped(),
                              done.records(),
                              rows.faults()));
            })
        .mapMaterializedValue(ignored -> NotUsed.getInstance());
  }

  /** The records that count by that survey, some for each row of the journal. */
  public Source<List<Located>, NotUsed> records(Survey survey) {
    SegmentReader reader = new SegmentReader(system, survey.tenant(), settings.readJournal());
    return all(new SegmentRows(reader, survey.tenant()), new TreeMap<>(survey.read()))
        .map(row -> counting(row, survey))
        .filter(records -> !records.isEmpty());
  }

  private static List<Located> counting(SegmentReader.Stored row, Survey survey) {
    return switch (row.event()) {
      case LedgerEvent.SegmentOpened _ -> List.of();
      case LedgerEvent.Recorded recorded -> {
        List<Located> counting = new ArrayList<>(recorded.records().size());
        int index = 0;
        for (UsageRecord record : recorded.records()) {
          Position at = new Position(row.segment(), row.sequence(), index);
          index++;
          if (survey.range().contains(record.timeMillis()) && !survey.skipped().contains(at)) {
            counting.add(new Located(at, record));
          }
        }
        yield counting;
      }
    };
  }

  private static Source<Reading, NotUsed> resolved(
      SegmentReader reader, TenantId tenant, Reading reading) {
    if (reading.doubtful().isEmpty()) {
      return Source.single(reading);
    }
    return all(new SegmentRows(reader, tenant), reading.read())
        .map(
            row -> {
              reading.lookAgain(row);
              return row;
            })
        .fold(reading, (same, row) -> same)
        .map(
            done -> {
              done.resolve();
              return done;
            });
  }

  private static Source<SegmentReader.Stored, NotUsed> all(
      SegmentRows rows, Map<Long, Long> wanted) {
    return Source.from(wanted.entrySet())
        .flatMapConcat(segment -> rows.rows(segment.getKey(), segment.getValue()));
  }

  private static Map<Long, Long> whole(List<Fence.Claim> claims) {
    Map<Long, Long> segments = new TreeMap<>();
    claims.forEach(claim -> segments.put(claim.number(), Long.MAX_VALUE));
    return segments;
  }

  /** The buckets whose sums tell of exactly that range; absent when none do, or they are gone. */
  public static UsageLedger.@Nullable Buckets bucketsOf(TimeRange range, Instant now) {
    Instant from = range.from();
    Instant to = range.to();
    if (from == null || to == null) {
      return null;
    }
    for (Bucket bucket : List.of(Bucket.DAY, Bucket.HOUR, Bucket.MINUTE)) {
      long width = bucket.width().toMillis();
      boolean fits = from.toEpochMilli() % width == 0 && to.toEpochMilli() % width == 0;
      boolean kept = bucket == Bucket.DAY || !from.isBefore(now.minus(bucket.rangeMax()));
      if (fits && kept) {
        return new UsageLedger.Buckets(bucket, from, to);
      }
    }
    return null;
  }
}
