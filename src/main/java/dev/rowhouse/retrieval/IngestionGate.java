package dev.rowhouse.retrieval;

import java.util.concurrent.Semaphore;

/**
 * How many files are ingested at a time on this node, whatever their tenant. Who finds it closed
 * comes again later; nobody waits in it with a thread.
 */
final class IngestionGate {
  private final Semaphore places;

  IngestionGate(int placesMax) {
    places = new Semaphore(placesMax);
  }

  boolean enter() {
    return places.tryAcquire();
  }

  void leave() {
    places.release();
  }
}
