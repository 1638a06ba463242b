package dev.rowhouse.usage;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Answers questions about a ledger: from its state at once, from the journal by and by. At most so
 * many read the journal at a time.
 */
final class LedgerQueries {
  private static final CompletionStage<Boolean> AT_ONCE = CompletableFuture.completedFuture(true);

  /** As far back as answers tell how long the next ones are. */
  private static final Duration ANSWERS_OF = Duration.ofDays(2);

  /**
   * Attempts that a parent is told of as settled, about 100 bytes each: more than one tenant's
   * workers repeat settlements of at a time.
   */
  private static final int SETTLED_TOLD_MAX = 10_000;

  private final LedgerHome home;
  private int reads;

  LedgerQueries(LedgerHome home) {
    this.home = home;
  }

  /** Answers; the stage ends when the journal has been read, after which {@link #done} is due. */
  CompletionStage<Boolean> answer(LedgerState state, UsageLedger.Query query) {
    reads++;
    return switch (query) {
      case UsageLedger.GetUsage asked -> {
        asked.replyTo().tell(usage(state, asked));
        yield AT_ONCE;
      }
      case UsageLedger.GetTotals asked -> {
        asked.replyTo().tell(new LedgerReply.TotalsNow(state.totals(), state.month(home.now())));
        yield AT_ONCE;
      }
      case UsageLedger.GetCut asked -> {
        asked.replyTo().tell(cut(state, asked.buckets()));
        yield AT_ONCE;
      }
      case UsageLedger.ReadRecords asked -> records(state, asked);
      case UsageLedger.FindRecord asked -> find(state, asked);
    };
  }

  void done() {
    reads--;
  }

  private static LedgerReply.Usage usage(LedgerState state, UsageLedger.GetUsage asked) {
    Instant from = asked.from();
    Instant to = asked.to();
    Duration widest = asked.bucket().rangeMax();
    if (!from.isBefore(to)) {
      return new LedgerReply.UsageRefused("to", "'to' must be after 'from'");
    }
    if (Duration.between(from, to).compareTo(widest) > 0) {
      return new LedgerReply.UsageRefused(
          "from",
          "a query by %s covers at most %d days"
              .formatted(
                  asked.bucket().name().toLowerCase(java.util.Locale.ROOT), widest.toDays()));
    }
    return new LedgerReply.UsageRows(state.rows(asked.bucket(), from, to, asked.groupBy()));
  }

  static LedgerReply.CutNow cut(LedgerState state, UsageLedger.@Nullable Buckets asked) {
    return new LedgerReply.CutNow(
        state.totals(),
        asked == null
            ? List.of()
            : state.rows(asked.bucket(), asked.from(), asked.to(), GroupBy.NOTHING),
        state.read(),
        state.doubtful().isEmpty());
  }

  private CompletionStage<Boolean> records(LedgerState state, UsageLedger.ReadRecords asked) {
    String cursor = asked.after();
    Position after = cursor == null ? Position.START : Position.parse(cursor);
    if (after == null) {
      asked.replyTo().tell(new LedgerReply.RecordsRefused("after", "not an id of a record"));
      return AT_ONCE;
    }
    if (asked.limit() < 1 || asked.limit() > UsageLedger.PAGE_LENGTH_MAX) {
      asked
          .replyTo()
          .tell(
              new LedgerReply.RecordsRefused(
                  "limit", "must be between 1 and " + UsageLedger.PAGE_LENGTH_MAX));
      return AT_ONCE;
    }
    if (isFull(asked.replyTo())) {
      return AT_ONCE;
    }
    return home.reader()
        .page(state.read(), state.skipped(), after, asked.limit(), home::isVisible)
        .handle(
            (page, problem) -> {
              asked.replyTo().tell(page == null ? away(problem) : page(page));
              return true;
            });
  }

  private static LedgerReply.Records page(SegmentReader.Page page) {
    List<LedgerReply.RecordRow> rows =
        page.records().stream()
            .map(it -> new LedgerReply.RecordRow(it.position().toString(), it.record()))
            .toList();
    return new LedgerReply.RecordsPage(
        rows, page.hasMore(), rows.isEmpty() ? null : rows.getLast().id());
  }

  private CompletionStage<Boolean> find(LedgerState state, UsageLedger.FindRecord asked) {
    if (!AttemptId.isValid(asked.attempt())) {
      asked.replyTo().tell(new LedgerReply.NoRecord());
      return AT_ONCE;
    }
    UUID attempt = AttemptId.parse(asked.attempt());
    StartedEntry open = state.openStart(attempt);
    Position known = state.positionOf(attempt);
    if (known == null && open != null) {
      asked.replyTo().tell(new LedgerReply.StillOpen(open));
      return AT_ONCE;
    }
    if (known == null && state.isKnown(attempt)) {
      asked.replyTo().tell(new LedgerReply.NoRecord());
      return AT_ONCE;
    }
    if (isFull(asked.replyTo())) {
      return AT_ONCE;
    }
    CompletionStage<List<Located>> located =
        known == null
            ? home.reader()
                .find(state.read().keySet(), Set.of(attempt))
                .thenApply(found -> found.getOrDefault(attempt, List.of()))
            : home.reader().at(known);
    return located.handle(
        (found, problem) -> {
          asked.replyTo().tell(found == null ? away(problem) : best(found));
          return true;
        });
  }

  private LedgerReply.Find best(Collection<Located> found) {
    return found.stream()
        .min(Located.BEST_FIRST)
        .filter(it -> home.isVisible(it.record()))
        .<LedgerReply.Find>map(it -> new LedgerReply.Found(it.record()))
        .orElseGet(LedgerReply.NoRecord::new);
  }

  private boolean isFull(ActorRef<? super LedgerReply.Away> refused) {
    if (reads > home.settings().readsMax()) {
      refused.tell(new LedgerReply.Away("too many queries read the journal"));
      return true;
    }
    return false;
  }

  private static LedgerReply.Away away(@Nullable Throwable problem) {
    return new LedgerReply.Away(
        "cannot read the journal: " + (problem == null ? "" : problem.getMessage()));
  }

  /** The attempts that have a real record, not only a placeholder. */
  static Set<UUID> settled(Map<UUID, List<Located>> found) {
    return found.entrySet().stream()
        .filter(
            entry ->
                entry.getValue().stream()
                    .anyMatch(it -> it.record().status() != UsageRecord.Status.UNKNOWN))
        .map(Map.Entry::getKey)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Means over the requests of the last days, failed ones left in: they are few. */
  private static Map<String, Double> answerTokens(LedgerState state, Instant now) {
    Map<String, Double> means = new HashMap<>();
    Map<String, Long> requests = new HashMap<>();
    for (UsageRow row :
        state.rows(Bucket.DAY, now.minus(ANSWERS_OF), now.plusSeconds(1), GroupBy.MODEL)) {
      String model = String.valueOf(row.group());
      long before = requests.getOrDefault(model, 0L);
      long after = before + row.requests();
      if (after > 0 && row.outputTokens() > 0) {
        double sum = means.getOrDefault(model, 0.0) * before + row.outputTokens();
        means.put(model, sum / after);
        requests.put(model, after);
      }
    }
    return means;
  }

  static LedgerReply.Opened opened(LedgerState state, Instant now) {
    return new LedgerReply.Opened(
        state.zone().getId(),
        state.totals(),
        state.month(now),
        state.lastMinute(now),
        state.keys(now),
        answerTokens(state, now),
        state.openStarts(),
        state.settledLately(SETTLED_TOLD_MAX));
  }

  static LedgerReply.Status status(
      @Nullable LedgerState state, long segment, @Nullable String failure, Instant readAt) {
    return state == null
        ? new LedgerReply.Status(false, 0, 0, 0, 0, 0, failure, null)
        : new LedgerReply.Status(
            true,
            segment,
            state.readUpTo(segment),
            state.read().size(),
            state.openStarts().size(),
            state.windowSize(),
            failure,
            readAt);
  }
}
