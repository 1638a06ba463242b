package dev.rowhouse.inference;

import dev.rowhouse.fairness.SlotTicket;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.util.ByteString;

/**
 * What a run, or its worker, tells the gateway that owns its request. An attempt is run once, so
 * the attempt tells the runs of a request apart: what bears another one than the gateway's present
 * one comes from a run that was given up, and is not listened to.
 */
public sealed interface RunEvent {
  String attempt();

  /** Send the body from this offset. The first one also says that the run has begun. */
  record PullBody(String attempt, int offset, ActorRef<RunControl> run) implements RunEvent {}

  /**
   * Pieces of the answer, in order; {@code number} counts messages from 0. For a stream each piece
   * is one chunk's JSON without the SSE framing; otherwise the pieces make up the body.
   */
  record Pieces(String attempt, long number, List<ByteString> pieces) implements RunEvent {}

  /**
   * The run is over, and {@code tail} is the end of the answer, to be released when the usage is
   * durable. For a run that failed before any piece the tail is empty and the report has the error.
   */
  record Ended(String attempt, RunReport report, List<ByteString> tail) implements RunEvent {}

  /** The worker refuses the ticket: it was used, recalled or minted by an earlier incarnation. */
  record TicketRefused(String attempt, SlotTicket ticket) implements RunEvent {}

  /** The worker has failed and its runs have stopped. It does not settle this one. */
  record WorkerFailed(String attempt) implements RunEvent {}
}
