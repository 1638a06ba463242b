package dev.rowhouse.inference;

import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;

/** How a worker makes the actor that runs one request. */
@FunctionalInterface
public interface RunFactory {
  Behavior<RunControl> create(
      RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunEnded> worker);
}
