package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.tenant.RecordReader;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Survey;
import dev.rowhouse.usage.UsageJournal;
import dev.rowhouse.usage.UsageRecord;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.Graph;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * Runs replays, a few at a time, each as a stream of lines that goes on as fast as its reader and
 * ends when its reader leaves.
 *
 * <p>Lines are JSON objects with one member: {@code progress}, {@code result}, {@code pool}, {@code
 * total}, {@code failed} (a tenant whose journal cannot be read), {@code error}, and at last {@code
 * end}. An export has the records alone.
 */
public final class Replays {
  private final ActorSystem<?> system;
  private final UsageJournal journal;
  private final RecordReader records;
  private final ReplaySettings settings;
  private final FairnessSettings fairness;
  private final InstantSource clock;
  private final AtomicInteger running = new AtomicInteger();

  public Replays(
      ActorSystem<?> system,
      UsageJournal journal,
      RecordReader records,
      ReplaySettings settings,
      FairnessSettings fairness,
      InstantSource clock) {
    this.system = system;
    this.journal = journal;
    this.records = records;
    this.settings = settings;
    this.fairness = fairness;
    this.clock = clock;
  }

  public ReplaySettings settings() {
    return settings;
  }

  /** Lines of an answer, and how they are to be read. */
  public record Answer(String mediaType, Source<ByteString, NotUsed> lines) {}

  /** The place that one replay has among those that run; it is given back once. */
  private final class Place {
    private final AtomicInteger state = new AtomicInteger();

    void begun() {
      state.compareAndSet(0, 1);
    }

    void giveUpUnlessBegun() {
      if (state.compareAndSet(0, 2)) {
        running.decrementAndGet();
      }
    }

    void giveBack() {
      if (state.getAndSet(2) != 2) {
        running.decrementAndGet();
      }
    }
  }

  /**
   * Begins a replay; fails with a {@link ReplayProblem} when it cannot be done.
   *
   * @param withProgress whether lines on progress are among the others
   */
  public CompletionStage<Answer> begin(
      ReplayRequest request, ReplayHouse house, boolean withProgress) {
    if (running.incrementAndGet() > settings.concurrentMax()) {
      running.decrementAndGet();
      return CompletableFuture.failedFuture(
          new ReplayProblem(
              429,
              "too_many_replays",
              null,
              settings.concurrentMax()
                  + " replays run on this node (rowhouse.replay.concurrent-max). Try again when one"
                  + " has ended."));
    }
    Place place = new Place();
    system
        .scheduler()
        .scheduleOnce(settings.beginTimeout(), place::giveUpUnlessBegun, system.executionContext());
    return unknown(request.scope().tenants(), 0)
        .thenApply(
            unknown -> {
              if (unknown != null) {
                throw new ReplayProblem(
                    404,
                    "tenant_not_found",
                    "tenants",
                    "There is no tenant '" + unknown + "', and never was.");
              }
              return answer(request, house, withProgress, place);
            })
        .whenComplete(
            (answer, failure) -> {
              if (failure != null) {
                place.giveBack();
              }
            });
  }

  /** The first of those tenants that never was. */
  private CompletionStage<@Nullable TenantId> unknown(List<TenantId> tenants, int from) {
    if (from == tenants.size()) {
      return CompletableFuture.completedFuture(null);
    }
    TenantId tenant = tenants.get(from);
    return journal
        .isKnown(tenant)
        .thenCompose(
            known ->
                known
                    ? unknown(tenants, from + 1)
                    : CompletableFuture.<@Nullable TenantId>completedFuture(tenant));
  }

  private Answer answer(
      ReplayRequest request, ReplayHouse house, boolean withProgress, Place place) {
    Progress progress = new Progress();
    Replay replay = new Replay(journal, house, progress);
    boolean isExport = request instanceof ReplayRequest.Export;
    Source<ByteString, NotUsed> lines =
        request instanceof ReplayRequest.Export export
            ? export(replay, export)
            : lines(replay, request).map(Json::line);
    Source<ByteString, NotUsed> all =
        withProgress && !isExport ? lines.merge(progress(progress), true) : lines;
    Source<ByteString, NotUsed> watched =
        Source.lazySource(
                () -> {
                  place.begun();
                  return all.watchTermination(
                      (nothing, done) -> {
                        done.whenComplete(
                            (ended, failure) -> {
                              progress.cancel();
                              place.giveBack();
                            });
                        return nothing;
                      });
                })
            .mapMaterializedValue(ignored -> NotUsed.getInstance())
            .async(ReplaySettings.DISPATCHER);
    String mediaType =
        request instanceof ReplayRequest.Export export
            ? export.format().mediaType()
            : ExportFormat.CLOUDEVENTS.mediaType();
    return new Answer(mediaType, watched);
  }

  private Source<ByteString, ?> progress(Progress progress) {
    Duration interval = settings.progressInterval();
    return Source.tick(settings.answerAfter(), interval, progress)
        .map(one -> Json.line(one.line()));
  }

  private Source<ObjectNode, NotUsed> lines(Replay replay, ReplayRequest request) {
    Source<TenantId, NotUsed> tenants = TenantStream.of(journal, request.scope(), replay.progress);
    Source<ObjectNode, NotUsed> results =
        switch (request) {
          case ReplayRequest.TotalsAgain totals -> {
            TotalsReplay job = new TotalsReplay(replay, totals.scope().range(), clock.instant());
            yield tenants.flatMapConcat(job::lines);
          }
          case ReplayRequest.PriceAgain price -> {
            PriceReplay job = new PriceReplay(replay, price, settings.linesMax());
            yield tenants.flatMapConcat(job::read).concatLazy(Source.lazySource(job::lines));
          }
          case ReplayRequest.WhatIf whatIf -> {
            WhatIfReplay job = new WhatIfReplay(replay, whatIf, records, settings, fairness);
            yield tenants.flatMapConcat(job::read).concatLazy(Source.lazySource(job::lines));
          }
          case ReplayRequest.Export export ->
              throw new IllegalArgumentException("an export has lines of its own");
        };
    return results
        .concatLazy(Source.lazySingle(replay::end))
        .recoverWithRetries(
            1,
            new PFBuilder<Throwable, Graph<SourceShape<ObjectNode>, NotUsed>>()
                .match(Throwable.class, failure -> Source.single(error(failure)))
                .build());
  }

  private static ObjectNode error(Throwable failure) {
    ReplayProblem problem = problem(failure);
    ObjectNode line = Json.object();
    ObjectNode error =
        line.putObject("error")
            .put("status", problem.status())
            .put("code", problem.code())
            .put("detail", problem.text());
    if (problem.field() != null) {
      error.put("field", problem.field());
    }
    return line;
  }

  /** What a failure is to the one who asked. */
  public static ReplayProblem problem(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof ReplayProblem problem) {
        return problem;
      }
    }
    return new ReplayProblem(
        503,
        "journal_unavailable",
        null,
        "The journal cannot be read now: " + failure.getMessage());
  }

  /**
   * The records; an end that is cut says that some are missing. CloudEvents say which: after the
   * readable ones an event of its own tells of each row that is not.
   */
  private Source<ByteString, NotUsed> export(Replay replay, ReplayRequest.Export request) {
    UsageJournal.Tally count =
        new UsageJournal.Tally() {
          @Override
          public void counted(UsageRecord record) {
            replay.progress.record();
          }

          @Override
          public void taken(UsageRecord record) {}
        };
    List<Survey> broken = new ArrayList<>();
    Source<ByteString, NotUsed> head =
        request.format() == ExportFormat.CSV
            ? Source.single(ByteString.fromString(ExportLines.HEADER))
            : Source.empty();
    return head.concatLazy(
            TenantStream.of(journal, request.scope(), replay.progress)
                .flatMapConcat(
                    tenant ->
                        journal
                            .survey(tenant, request.scope().range(), null, count)
                            .flatMapConcat(
                                survey -> {
                                  if (!survey.isWhole()) {
                                    broken.add(survey);
                                  }
                                  return journal
                                      .records(survey)
                                      .map(
                                          some ->
                                              ExportLines.lines(request.format(), tenant, some));
                                })))
        .concatLazy(
            Source.lazySource(
                () ->
                    broken.isEmpty()
                        ? Source.<ByteString>empty()
                        : faults(request.format(), broken)));
  }

  private static Source<ByteString, NotUsed> faults(ExportFormat format, List<Survey> broken) {
    List<ByteString> events = new ArrayList<>();
    if (format == ExportFormat.CLOUDEVENTS) {
      for (Survey survey : broken) {
        survey.faults().forEach(fault -> events.add(ExportLines.fault(fault)));
      }
    }
    return Source.from(events)
        .concat(
            Source.failed(
                new ReplayProblem(
                    500,
                    "incomplete",
                    null,
                    "Rows of the journal cannot be read: " + broken.getFirst().faults())));
  }
}
