package dev.rowhouse.tenant;

import dev.rowhouse.journal.UnreadableEvent;
import dev.rowhouse.tenant.TenantDirectory.Envelope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.query.EventEnvelope;
import org.apache.pekko.persistence.query.NoOffset;
import org.apache.pekko.persistence.query.Offset;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.persistence.query.Sequence;
import org.apache.pekko.persistence.query.TimeBasedUUID;
import org.apache.pekko.persistence.query.javadsl.EventsByTagQuery;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.RestartSettings;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.RestartSource;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fills the {@link TenantDirectory} from the journal, one in the cluster (a singleton). Whatever
 * fails, it starts again, after a growing wait, where the table says that it is.
 */
public final class TenantDirectoryProjector {
  private static final Logger LOG = LoggerFactory.getLogger(TenantDirectoryProjector.class);

  /** A transaction of so many rows takes some ten milliseconds. */
  private static final int BATCH_MAX = 200;

  /** How long a lone event waits for company. */
  private static final Duration BATCH_WAIT = Duration.ofMillis(20);

  /** So that several projectors do not come back at once. */
  private static final double BACKOFF_JITTER = 0.2;

  private TenantDirectoryProjector() {}

  /** The projector takes no messages: it only stops. */
  public sealed interface Command {}

  /** Asks it to stop: the singleton's stop message. */
  public record Stop() implements Command {}

  /**
   * The projector, to be run as a singleton.
   *
   * @param readJournalId the conf path of a persistence query plugin that knows tags
   */
  public static Behavior<Command> create(
      TenantDirectory directory, String readJournalId, Duration backoffMin, Duration backoffMax) {
    return Behaviors.setup(
        context -> {
          UniqueKillSwitch running =
              run(
                  context.getSystem(),
                  directory,
                  readJournalId,
                  RestartSettings.create(backoffMin, backoffMax, BACKOFF_JITTER));
          return Behaviors.receive(Command.class)
              .onMessage(Stop.class, _ -> Behaviors.stopped())
              .onSignal(
                  PostStop.class,
                  _ -> {
                    running.shutdown();
                    return Behaviors.same();
                  })
              .build();
        });
  }

  private static UniqueKillSwitch run(
      ActorSystem<?> system,
      TenantDirectory directory,
      String readJournalId,
      RestartSettings restarts) {
    EventsByTagQuery journal =
        PersistenceQuery.get(system).getReadJournalFor(EventsByTagQuery.class, readJournalId);
    return RestartSource.withBackoff(
            restarts,
            () ->
                Source.completionStageSource(
                    directory.offset().thenApply(from -> project(journal, directory, from))))
        .viaMat(KillSwitches.single(), Keep.right())
        .to(Sink.ignore())
        .run(system);
  }

  private static Source<String, NotUsed> project(
      EventsByTagQuery journal, TenantDirectory directory, String from) {
    return journal
        .eventsByTag(TenantEvent.TAG, offset(from))
        .filter(TenantDirectoryProjector::isReadable)
        .map(TenantDirectoryProjector::envelope)
        .groupedWithin(BATCH_MAX, BATCH_WAIT)
        .scanAsync(from, (offset, events) -> directory.write(offset, new ArrayList<>(events)));
  }

  /** A damaged event changes nothing here: its tenant cannot be woken either, and says why. */
  private static boolean isReadable(EventEnvelope envelope) {
    if (envelope.event() instanceof UnreadableEvent unreadable) {
      LOG.error(
          "{} number {} cannot be read: the list of tenants goes on without it; restore the row"
              + " from a backup",
          envelope.persistenceId(),
          envelope.sequenceNr(),
          unreadable.failure());
      return false;
    }
    return true;
  }

  private static Envelope envelope(EventEnvelope envelope) {
    if (envelope.event() instanceof TenantEvent event) {
      return new Envelope(event, envelope.sequenceNr(), text(envelope.offset()));
    }
    if (envelope.event() instanceof SealedEvent sealed) {
      return new Envelope(
          sealed, sealed.event().tenant(), envelope.sequenceNr(), text(envelope.offset()));
    }
    throw new IllegalStateException(
        "%s number %d is tagged %s and is none of a tenant's record"
            .formatted(envelope.persistenceId(), envelope.sequenceNr(), TenantEvent.TAG));
  }

  /** A journal on SQL counts, one on Cassandra has times. */
  private static String text(Offset offset) {
    return switch (offset) {
      case Sequence sequence -> "sequence:" + sequence.value();
      case TimeBasedUUID time -> "uuid:" + time.value();
      default -> throw new IllegalStateException("not an offset that can be kept: " + offset);
    };
  }

  private static Offset offset(String text) {
    List<String> parts = List.of(text.split(":", 2));
    return switch (parts.getFirst()) {
      case "" -> NoOffset.getInstance();
      case "sequence" -> Offset.sequence(Long.parseLong(parts.get(1)));
      case "uuid" -> Offset.timeBasedUUID(UUID.fromString(parts.get(1)));
      default -> throw new IllegalStateException("not an offset: " + text);
    };
  }
}
