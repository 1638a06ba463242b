package dev.rowhouse.inference;

import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.util.ByteString;

/** The line of a run to its gateway, which has the body and the client, and to its worker. */
final class RunLine {
  private final String attempt;
  private final Outbox outbox;
  private final ActorRef<RunEvent> gateway;
  private final ActorRef<RunNote> worker;

  RunLine(String attempt, Outbox outbox, ActorRef<RunEvent> gateway, ActorRef<RunNote> worker) {
    this.attempt = attempt;
    this.outbox = outbox;
    this.gateway = gateway;
    this.worker = worker;
  }

  void pullBody(int offset, ActorRef<RunControl> run) {
    gateway.tell(new RunEvent.PullBody(attempt, offset, run));
  }

  /** Sends what waits, as far as there is credit. */
  void flush() {
    while (outbox.maySend()) {
      long number = outbox.nextNumber();
      gateway.tell(new RunEvent.Pieces(attempt, number, outbox.take()));
    }
  }

  /** What is left in the outbox, as much as one message holds, before the end of an answer. */
  List<ByteString> withPending(List<ByteString> last) {
    if (outbox.isEmpty()) {
      return last;
    }
    List<ByteString> all = new ArrayList<>(outbox.take());
    all.addAll(last);
    return all;
  }

  /** The one end of the run: the gateway hears it before the worker. */
  void end(RunReport report, List<ByteString> last) {
    gateway.tell(new RunEvent.Ended(attempt, report, last));
    worker.tell(new RunEnded(attempt, report));
  }
}
