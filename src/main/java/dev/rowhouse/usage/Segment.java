package dev.rowhouse.usage;

import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.SnapshotAdapter;
import org.apache.pekko.persistence.typed.SnapshotFailed;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of one segment. It holds no figures: the ledger does, and gives it the snapshot
 * that is due with the event that makes it due. So a snapshot tells of the time before its event,
 * and says so itself.
 *
 * <p>It stops when a write fails, for then nobody knows whether the write landed. It is never
 * started again: the ledger claims another segment.
 */
final class Segment extends EventSourcedBehavior<Segment.Write, LedgerEvent, Long> {

  /**
   * Write this event.
   *
   * @param snapshot present when the event's sequence number is one with a snapshot
   */
  record Write(LedgerEvent event, @Nullable LedgerSnapshot snapshot, ActorRef<Written> replyTo) {}

  /** The event with that sequence number is on disk. */
  record Written(long segment, long sequence, LedgerEvent event) {}

  private final ActorContext<Write> context;
  private final long segment;
  private final LedgerSettings settings;
  private final Set<String> tags;
  private @Nullable LedgerSnapshot snapshot;

  private Segment(
      ActorContext<Write> context, String persistenceId, long segment, LedgerSettings settings) {
    super(PersistenceId.ofUniqueId(persistenceId));
    this.context = context;
    this.segment = segment;
    this.settings = settings;
    this.tags = Set.of(UsageTag.of(SegmentId.of(persistenceId).tenant()));
  }

  static Behavior<Write> create(String persistenceId, long segment, LedgerSettings settings) {
    return Behaviors.setup(context -> new Segment(context, persistenceId, segment, settings));
  }

  @Override
  public Set<String> tagsFor(LedgerEvent event) {
    return tags;
  }

  @Override
  public Long emptyState() {
    return 0L;
  }

  @Override
  public CommandHandler<Write, LedgerEvent, Long> commandHandler() {
    return (sequence, write) -> {
      snapshot = write.snapshot();
      return Effect()
          .persist(write.event())
          .thenRun(
              (Long written) -> write.replyTo().tell(new Written(segment, written, write.event())));
    };
  }

  @Override
  public EventHandler<Long, LedgerEvent> eventHandler() {
    return (sequence, event) -> sequence + 1;
  }

  @Override
  public boolean shouldSnapshot(Long state, LedgerEvent event, long sequence) {
    return settings.isSnapshotAt(sequence);
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(settings.snapshotEvery(), settings.snapshotsKept());
  }

  @Override
  public SnapshotAdapter<Long> snapshotAdapter() {
    return new SnapshotAdapter<>() {
      @Override
      public Object toJournal(Long state) {
        if (snapshot == null) {
          throw new IllegalStateException("no snapshot came with event " + state);
        }
        return snapshot;
      }

      @Override
      public Long fromJournal(Object from) {
        throw new IllegalStateException("segment " + segment + " was written before");
      }
    };
  }

  @Override
  public SignalHandler<Long> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(
            SnapshotFailed.class,
            (state, failed) ->
                context
                    .getLog()
                    .warn(
                        "no snapshot of {} at {}: it recovers from an older one",
                        persistenceId().id(),
                        state,
                        failed.getFailure()))
        .build();
  }
}
