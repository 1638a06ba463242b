package dev.rowhouse.inference;

import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.util.ByteString;

/** What a run tells the gateway that owns its request. */
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
  record TicketRefused(String attempt) implements RunEvent {}
}
