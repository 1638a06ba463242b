package dev.rowhouse.inference;

import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.TenantId;
import java.util.List;
import java.util.Map;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;

/** What is asked of a worker, beside the slots themselves. */
public sealed interface WorkerCommand extends SlotOwner {

  /** Run this request in the slot of the ticket. */
  record Start(SlotTicket ticket, RunOrder order, ActorRef<RunEvent> gateway)
      implements WorkerCommand {}

  /** The settlement of this attempt is durable; the worker stops repeating it. */
  record Settled(String attempt) implements WorkerCommand {}

  /**
   * The models of the house changed: pools open, grow, shrink and close, without disturbing runs.
   */
  record CatalogChanged(Catalog catalog) implements WorkerCommand {}

  /**
   * Take nothing new, let runs end (within a configured time), get their settlements acknowledged,
   * then stop. The reply comes before the stop.
   */
  record Drain(ActorRef<Done> replyTo) implements WorkerCommand {}

  /** Which runs of this tenant are not over? */
  record WhatRuns(TenantId tenant, ActorRef<Runs> replyTo) implements WorkerCommand {}

  /** The runs of one tenant at one worker. */
  record Runs(List<RunOrder> orders) {
    public Runs {
      orders = List.copyOf(orders);
    }
  }

  /** How is it going? */
  record Describe(ActorRef<Description> replyTo) implements WorkerCommand {}

  /**
   * The figures of a worker.
   *
   * @param incarnation a later start has a larger one
   * @param restarts how often its actor has failed and started again in this process
   * @param slots slots by pool, as many as are open now
   * @param running runs now
   * @param settlementsPending ended runs whose settlement nobody has acknowledged yet
   * @param ticketsRefused refusals since start, by reason
   * @param endpoints the health of each model that has an upstream
   */
  record Description(
      String worker,
      long incarnation,
      long restarts,
      Map<String, Integer> slots,
      int running,
      int settlementsPending,
      Map<String, Long> ticketsRefused,
      List<EndpointView> endpoints) {

    public Description {
      slots = Map.copyOf(slots);
      ticketsRefused = Map.copyOf(ticketsRefused);
      endpoints = List.copyOf(endpoints);
    }
  }

  /**
   * The circuit breaker of a model's endpoint as one worker sees it.
   *
   * @param model the model of the house, which is also the pool
   * @param state {@code closed}, {@code open} or {@code half_open}
   * @param throttled whether it is open because the upstream asked for a pause
   * @param reopensInMillis how long it stays open; 0 when it is not
   * @param calls how many of the latest calls count
   * @param failures how many of those failed
   * @param openedTotal how often it has opened
   */
  record EndpointView(
      String model,
      String state,
      boolean throttled,
      long reopensInMillis,
      int calls,
      int failures,
      long openedTotal) {}
}
