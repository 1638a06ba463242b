package dev.rowhouse.serving;

import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.inference.RunOrder;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** What the actor of a tenant tells the gateway about one attempt. */
public sealed interface Verdict {

  /** Admitted, and here is the slot: start it at that worker. */
  record Go(RunOrder order, SlotTicket ticket, ActorRef<SlotOwner> worker, LimitsView limits)
      implements Verdict {}

  /** Admitted, and waiting for a slot; {@code ahead} requests of this tenant go first. */
  record Waiting(int ahead, LimitsView limits) implements Verdict {}

  /** Refused, or put out of the queue. */
  record No(Refusal refusal, @Nullable LimitsView limits) implements Verdict {}

  /** This actor ends, and the next one is asked in a moment; nothing of the request is lost. */
  record Moved() implements Verdict {}

  /** The record of this attempt is in the journal: the end of its answer may be released. */
  record Durable(String attempt) implements Verdict {}
}
