package dev.rowhouse.inference;

import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;

/** Makes the actor of one run; the worker spawns it, watches it and gives it a slot. */
@FunctionalInterface
public interface RunFactory {

  /**
   * The behaviour of one run. It watches the gateway, sends it RunEvents (the last one is {@link
   * RunEvent.Ended}), then tells the worker {@link RunEnded} and stops.
   */
  Behavior<RunControl> create(RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunNote> worker);
}
