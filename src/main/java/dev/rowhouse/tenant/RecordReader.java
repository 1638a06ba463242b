package dev.rowhouse.tenant;

import dev.rowhouse.journal.UnreadableEvent;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.persistence.query.EventEnvelope;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.persistence.query.javadsl.CurrentEventsByPersistenceIdQuery;

/** Reads a tenant's record from the journal, without waking the tenant. */
public final class RecordReader {
  private final ActorSystem<?> system;
  private final CurrentEventsByPersistenceIdQuery journal;

  /**
   * A reader of the journal behind that plugin.
   *
   * @param readJournalId the conf path of a persistence query plugin
   */
  public RecordReader(ActorSystem<?> system, String readJournalId) {
    this.system = system;
    this.journal =
        PersistenceQuery.get(system)
            .getReadJournalFor(CurrentEventsByPersistenceIdQuery.class, readJournalId);
  }

  /** The profile by all events so far; empty when there is no such tenant. */
  public CompletionStage<Optional<TenantProfile>> profile(TenantId tenant, String defaultPlan) {
    return journal
        .currentEventsByPersistenceId(TenantRecord.persistenceId(tenant).id(), 0, Long.MAX_VALUE)
        .runFold(Tenant.unknown(tenant), RecordReader::apply, system)
        .thenApply(read -> Optional.ofNullable(read.profile(defaultPlan)));
  }

  private static Tenant apply(Tenant tenant, EventEnvelope envelope) throws Exception {
    return switch (envelope.event()) {
      case TenantEvent event -> tenant.apply(event);
      // A profile has nobody's words in it, so what is in clear will do.
      case SealedEvent sealed -> tenant.apply(sealed.event());
      case UnreadableEvent unreadable -> throw unreadable.failure();
      default -> tenant;
    };
  }
}
