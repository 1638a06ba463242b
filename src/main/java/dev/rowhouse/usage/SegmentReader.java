package dev.rowhouse.usage;

import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.UnreadableEvent;
import dev.rowhouse.tenant.TenantId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.persistence.query.EventEnvelope;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.persistence.query.javadsl.CurrentEventsByPersistenceIdQuery;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;

/** Reads the segments of one tenant from the journal. It writes nothing and may run anywhere. */
final class SegmentReader {
  private final ActorSystem<?> system;
  private final CurrentEventsByPersistenceIdQuery journal;
  private final TenantId tenant;

  /** An event and where it stands. */
  record Stored(long segment, long sequence, LedgerEvent event) {}

  /** Some records, and whether there are more after them. */
  record Page(List<Located> records, boolean hasMore) {}

  SegmentReader(ActorSystem<?> system, TenantId tenant, String readJournal) {
    this.system = system;
    this.tenant = tenant;
    this.journal =
        PersistenceQuery.get(system)
            .getReadJournalFor(CurrentEventsByPersistenceIdQuery.class, readJournal);
  }

  /** The name under which the Fence counts the segments of a tenant. */
  static String fenceName(TenantId tenant) {
    return "usage|" + tenant.value();
  }

  static String persistenceId(TenantId tenant, long segment) {
    return "usage|" + tenant.value() + "|" + segment;
  }

  /** The events of a segment after that sequence number, in order. */
  Source<Stored, NotUsed> events(long segment, long after, long to) {
    String persistenceId = persistenceId(tenant, segment);
    AtomicLong last = new AtomicLong(after);
    return journal
        .currentEventsByPersistenceId(persistenceId, after + 1, to)
        .map(
            envelope -> {
              Stored stored = stored(segment, envelope);
              last.set(envelope.sequenceNr());
              return stored;
            })
        .mapError(
            Throwable.class,
            failure ->
                new JournalException(
                    "tenant %s, segment %d (%s), sequence number %d cannot be read: %s; %s"
                        .formatted(
                            tenant.value(),
                            segment,
                            persistenceId,
                            last.get() + 1,
                            failure.getMessage(),
                            JournalAdvice.of(persistenceId)),
                    failure));
  }

  private static Stored stored(long segment, EventEnvelope envelope) throws Exception {
    if (envelope.event() instanceof LedgerEvent event) {
      return new Stored(segment, envelope.sequenceNr(), event);
    }
    if (envelope.event() instanceof UnreadableEvent unreadable) {
      throw unreadable.failure();
    }
    throw new JournalException("not an event of a ledger: " + envelope.event().getClass(), null);
  }

  /** Lets the state take in all of those segments that it has not read yet. */
  CompletionStage<Done> fold(List<Long> segments, LedgerState state) {
    return Source.from(segments)
        .flatMapConcat(segment -> events(segment, state.readUpTo(segment), Long.MAX_VALUE))
        .runForeach(
            stored -> state.apply(stored.segment(), stored.sequence(), stored.event()), system);
  }

  /** Events that stand after what was read, at most so many. */
  CompletionStage<List<Stored>> after(List<Long> segments, Map<Long, Long> read, int max) {
    return Source.from(segments)
        .flatMapConcat(segment -> events(segment, read.getOrDefault(segment, 0L), Long.MAX_VALUE))
        .take(max)
        .runWith(Sink.seq(), system);
  }

  /** All records of those attempts, wherever they stand. It reads every segment whole. */
  CompletionStage<Map<UUID, List<Located>>> find(Collection<Long> segments, Set<UUID> attempts) {
    return Source.from(segments.stream().sorted().toList())
        .flatMapConcat(segment -> events(segment, 0, Long.MAX_VALUE))
        .mapConcat(SegmentReader::located)
        .filter(it -> attempts.contains(AttemptId.parse(it.record().attempt())))
        .runFold(
            new HashMap<UUID, List<Located>>(),
            (found, it) -> {
              found
                  .computeIfAbsent(
                      AttemptId.parse(it.record().attempt()), attempt -> new ArrayList<>())
                  .add(it);
              return found;
            },
            system)
        .thenApply(Map::copyOf);
  }

  /** The record at that place, alone in its list; an empty one when there is none. */
  CompletionStage<List<Located>> at(Position position) {
    return events(position.segment(), position.sequence() - 1, position.sequence())
        .mapConcat(SegmentReader::located)
        .filter(it -> it.position().equals(position))
        .runWith(Sink.seq(), system);
  }

  /**
   * The records that count and stand after a position, in the order of positions.
   *
   * @param read up to where each segment was counted; what stands after it is not shown yet
   * @param skipped records that do not count
   * @param isVisible whether a record is shown; others are passed over
   */
  CompletionStage<Page> page(
      Map<Long, Long> read,
      Set<Position> skipped,
      Position after,
      int limit,
      Predicate<UsageRecord> isVisible) {
    List<Long> segments =
        read.keySet().stream().filter(it -> it >= after.segment()).sorted().toList();
    return Source.from(segments)
        .flatMapConcat(
            segment ->
                events(
                    segment,
                    segment == after.segment() ? Math.max(0, after.sequence() - 1) : 0,
                    read.getOrDefault(segment, 0L)))
        .mapConcat(SegmentReader::located)
        .filter(
            it ->
                it.position().compareTo(after) > 0
                    && !skipped.contains(it.position())
                    && isVisible.test(it.record()))
        .take(limit + 1L)
        .runWith(Sink.seq(), system)
        .thenApply(
            found ->
                new Page(
                    List.copyOf(found.subList(0, Math.min(limit, found.size()))),
                    found.size() > limit));
  }

  private static List<Located> located(Stored stored) {
    return switch (stored.event()) {
      case LedgerEvent.SegmentOpened opened -> List.of();
      case LedgerEvent.Recorded recorded -> {
        List<Located> records = new ArrayList<>(recorded.records().size());
        for (UsageRecord record : recorded.records()) {
          records.add(
              new Located(
                  new Position(stored.segment(), stored.sequence(), records.size()), record));
        }
        yield records;
      }
    };
  }
}
