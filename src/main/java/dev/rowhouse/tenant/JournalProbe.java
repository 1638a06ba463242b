package dev.rowhouse.tenant;

import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.persistence.query.javadsl.CurrentEventsByPersistenceIdQuery;
import org.apache.pekko.stream.javadsl.Sink;

/** Looks whether a journal holds more than an actor has recovered. */
public interface JournalProbe {
  CompletionStage<Boolean> hasEventsAfter(String persistenceId, long sequenceNumber);

  /**
   * A probe of the journal behind that plugin.
   *
   * @param readJournalId the conf path of a persistence query plugin
   */
  static JournalProbe of(ActorSystem<?> system, String readJournalId) {
    CurrentEventsByPersistenceIdQuery journal =
        PersistenceQuery.get(system)
            .getReadJournalFor(CurrentEventsByPersistenceIdQuery.class, readJournalId);
    return (persistenceId, sequenceNumber) ->
        journal
            .currentEventsByPersistenceId(persistenceId, sequenceNumber + 1, Long.MAX_VALUE)
            .runWith(Sink.headOption(), system)
            .thenApply(first -> first.isPresent());
  }
}
