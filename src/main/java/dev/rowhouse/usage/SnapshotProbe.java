package dev.rowhouse.usage;

import java.util.function.Consumer;
import org.apache.pekko.actor.Props;
import org.apache.pekko.persistence.AbstractPersistentActor;
import org.apache.pekko.persistence.Recovery;
import org.apache.pekko.persistence.RecoveryCompleted;
import org.apache.pekko.persistence.SnapshotOffer;
import org.apache.pekko.persistence.SnapshotSelectionCriteria;
import org.jspecify.annotations.Nullable;
import scala.Option;

/**
 * Fetches the newest snapshot of a segment, and no event. A classic actor, because only the classic
 * recovery can be told to replay nothing. A snapshot that cannot be read is as good as none: the
 * events have it all.
 */
final class SnapshotProbe extends AbstractPersistentActor {
  private final String persistenceId;
  private final Consumer<@Nullable LedgerSnapshot> answer;
  private @Nullable LedgerSnapshot snapshot;

  private SnapshotProbe(String persistenceId, Consumer<@Nullable LedgerSnapshot> answer) {
    this.persistenceId = persistenceId;
    this.answer = answer;
  }

  static Props props(String persistenceId, Consumer<@Nullable LedgerSnapshot> answer) {
    return Props.create(SnapshotProbe.class, () -> new SnapshotProbe(persistenceId, answer));
  }

  @Override
  public String persistenceId() {
    return persistenceId;
  }

  @Override
  public Recovery recovery() {
    return Recovery.create(SnapshotSelectionCriteria.latest(), Long.MAX_VALUE, 0L);
  }

  @Override
  public Receive createReceiveRecover() {
    return receiveBuilder()
        .match(
            SnapshotOffer.class,
            offer -> {
              if (offer.snapshot() instanceof LedgerSnapshot found) {
                snapshot = found;
              }
            })
        .match(
            RecoveryCompleted.class,
            completed -> {
              answer.accept(snapshot);
              getContext().stop(getSelf());
            })
        .build();
  }

  @Override
  public void onRecoveryFailure(Throwable cause, Option<Object> event) {
    answer.accept(null);
  }

  @Override
  public Receive createReceive() {
    return emptyBehavior();
  }
}
