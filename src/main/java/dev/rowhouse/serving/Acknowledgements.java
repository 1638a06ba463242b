package dev.rowhouse.serving;

import dev.rowhouse.inference.WorkerCommand;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for which attempt to be durable: the worker that repeats its settlement, and the
 * gateway that holds back the end of an answer. One attempt is settled once, however often it is
 * told.
 */
final class Acknowledgements {
  /**
   * Attempts whose durability is remembered, so that a repeated settlement is answered at once. As
   * many as a ledger tells of when it is read, so that it holds for those of an earlier
   * incarnation.
   */
  private static final int DURABLE_REMEMBERED_MAX = 10_000;

  private record Waiters(
      @Nullable ActorRef<WorkerCommand.Settled> worker, @Nullable ActorRef<Object> gateway) {
    Waiters with(
        @Nullable ActorRef<WorkerCommand.Settled> otherWorker,
        @Nullable ActorRef<Object> otherGateway) {
      return new Waiters(
          otherWorker == null ? worker : otherWorker,
          otherGateway == null ? gateway : otherGateway);
    }

    void tell(String attempt) {
      if (worker != null) {
        worker.tell(new WorkerCommand.Settled(attempt));
      }
      if (gateway != null) {
        gateway.tell(new Verdict.Durable(attempt));
      }
    }
  }

  private final Map<String, Waiters> waiters = new HashMap<>();
  private final Map<String, Boolean> durable =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > DURABLE_REMEMBERED_MAX;
        }
      };

  /**
   * Whether this settlement was told before. Who tells it again is answered now when it is durable,
   * and waits with the others when it is not.
   */
  boolean isKnown(
      String attempt,
      @Nullable ActorRef<WorkerCommand.Settled> worker,
      @Nullable ActorRef<Object> gateway) {
    if (durable.containsKey(attempt)) {
      new Waiters(worker, gateway).tell(attempt);
      return true;
    }
    return waiters.computeIfPresent(attempt, (same, known) -> known.with(worker, gateway)) != null;
  }

  boolean knows(String attempt) {
    return durable.containsKey(attempt) || waiters.containsKey(attempt);
  }

  void await(
      String attempt,
      @Nullable ActorRef<WorkerCommand.Settled> worker,
      @Nullable ActorRef<Object> gateway) {
    waiters.put(attempt, new Waiters(worker, gateway));
  }

  /** The record of that attempt is in the journal. */
  void written(String attempt) {
    durable.put(attempt, Boolean.TRUE);
    Waiters waiting = waiters.remove(attempt);
    if (waiting != null) {
      waiting.tell(attempt);
    }
  }
}
