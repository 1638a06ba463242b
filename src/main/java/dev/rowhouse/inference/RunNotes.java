package dev.rowhouse.inference;

import dev.rowhouse.inference.EngineEvent.Failure;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a run tells its worker on its way: what its calls say of their endpoints, and what it has
 * spent so far, at most once in an interval and only when that changed.
 */
final class RunNotes {
  private final String attempt;
  private final ActorRef<RunNote> worker;
  private final long intervalMillis;
  private String model = "";
  private long beganMillis;
  private boolean answered;
  private long progressMillis;
  private long inputTokens;
  private long outputTokens;

  RunNotes(String attempt, ActorRef<RunNote> worker, long intervalMillis, long nowMillis) {
    this.attempt = attempt;
    this.worker = worker;
    this.intervalMillis = intervalMillis;
    this.progressMillis = nowMillis;
  }

  /** A call to the endpoint of that model begins. */
  void calling(String calledModel, long nowMillis) {
    model = calledModel;
    beganMillis = nowMillis;
    answered = false;
  }

  /** The endpoint has answered; said once for each call. */
  void answered(long nowMillis) {
    if (!answered) {
      answered = true;
      ended(CallOutcome.ANSWERED, 0, nowMillis);
    }
  }

  /** The call has failed, which may say something of the endpoint or not. */
  void failed(Failure failure, long nowMillis) {
    CallOutcome says = failure.says();
    if (says == CallOutcome.ANSWERED) {
      answered(nowMillis);
    } else if (says != null) {
      ended(says, failure.retryAfterMillis(), nowMillis);
    }
  }

  void spent(long input, long output, long nowMillis) {
    if (nowMillis - progressMillis >= intervalMillis
        && (input != inputTokens || output != outputTokens)) {
      progressMillis = nowMillis;
      inputTokens = input;
      outputTokens = output;
      worker.tell(new RunProgress(attempt, input, output));
    }
  }

  private void ended(CallOutcome outcome, long retryAfterMillis, long nowMillis) {
    // A clock that was set back makes no time negative.
    long tookMillis = Math.max(0, nowMillis - beganMillis);
    worker.tell(new CallEnded(model, outcome, tookMillis, retryAfterMillis));
  }
}
