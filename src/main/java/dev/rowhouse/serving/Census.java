package dev.rowhouse.serving;

import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.inference.InferenceWorker;
import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.tenant.TenantId;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;
import org.jspecify.annotations.Nullable;

/**
 * How a new incarnation of a tenant's actor learns what runs and waits: it asks all gateways and
 * workers that are to be reached, once, and admits nothing new until they have answered or {@code
 * rowhouse.serving.census-max} is over. So a move, a restart or a crash gives no fresh concurrency,
 * and what was reserved stays reserved. It costs two messages for each node when a tenant's actor
 * starts, and nothing on a request.
 *
 * <p>One actor on each node: it asks for the tenants that start here, and answers for the requests
 * of this node's gateway.
 */
public final class Census {
  /** All gateways of the cluster. */
  static final ServiceKey<Command> KEY = ServiceKey.create(Command.class, "gateway-census");

  private Census() {}

  public sealed interface Command {}

  /** Ask everybody about this tenant; the asker gets {@link Asked} and then the answers. */
  public record Take(TenantId tenant, ActorRef<Object> asker) implements Command {}

  /** What has this node in hand of this tenant? Answered with {@link Told}. */
  public record InHandOf(TenantId tenant, ActorRef<Object> asker) implements Command {}

  private record Gateways(Set<ActorRef<Command>> all) implements Command {}

  private record AllWorkers(Set<ActorRef<SlotOwner>> all) implements Command {}

  /** What the asker of a census gets. */
  public sealed interface Answer {}

  /** So many will answer: gateways with {@link Told}, workers with {@link WorkerCommand.Runs}. */
  public record Asked(int parties) implements Answer {}

  /** A gateway has so many requests in hand, each of which answers for itself. */
  public record Told(int requests) implements Answer {}

  /**
   * A request that was admitted before, and is not over.
   *
   * @param go what it runs by; absent: it waits for a slot
   */
  public record Present(Ask ask, ActorRef<Object> gateway, Verdict.@Nullable Go go)
      implements Answer {}

  /** A request that is over, or has not been admitted yet: nothing of it is to be kept. */
  public record Absent(String attempt) implements Answer {}

  /**
   * The actor of a node.
   *
   * @param inHand the requests of this node's gateway
   */
  public static Behavior<Command> create(InHand inHand) {
    return Behaviors.setup(
        context -> {
          var receptionist = context.getSystem().receptionist();
          receptionist.tell(Receptionist.register(KEY, context.getSelf()));
          // One adapter for both: a second one of the same class would take the first one's place.
          ActorRef<Receptionist.Listing> listings =
              context.messageAdapter(
                  Receptionist.Listing.class,
                  listing ->
                      listing.isForKey(KEY)
                          ? new Gateways(listing.getServiceInstances(KEY))
                          : new AllWorkers(listing.getServiceInstances(InferenceWorker.KEY)));
          receptionist.tell(Receptionist.subscribe(KEY, listings));
          receptionist.tell(Receptionist.subscribe(InferenceWorker.KEY, listings));
          return new Node(context, inHand).behavior();
        });
  }

  private static final class Node {
    private final ActorRef<Command> self;
    private final InHand inHand;
    private Set<ActorRef<Command>> gateways = Set.of();
    private Set<ActorRef<SlotOwner>> workers = Set.of();

    Node(ActorContext<Command> context, InHand inHand) {
      this.self = context.getSelf();
      this.inHand = inHand;
    }

    Behavior<Command> behavior() {
      return Behaviors.receiveMessage(
          command -> {
            switch (command) {
              case Take take -> take(take);
              case InHandOf asked -> answer(asked);
              case Gateways known -> gateways = known.all();
              case AllWorkers known -> workers = known.all();
            }
            return Behaviors.same();
          });
    }

    private void take(Take take) {
      Set<ActorRef<Command>> asked = new HashSet<>(gateways);
      // The receptionist may not have heard of this node yet, and it is always to be reached.
      asked.add(self);
      take.asker().tell(new Asked(asked.size() + workers.size()));
      asked.forEach(gateway -> gateway.tell(new InHandOf(take.tenant(), take.asker())));
      workers.forEach(
          worker -> worker.tell(new WorkerCommand.WhatRuns(take.tenant(), take.asker().narrow())));
    }

    private void answer(InHandOf asked) {
      List<ActorRef<Object>> requests = inHand.of(asked.tenant());
      asked.asker().tell(new Told(requests.size()));
      requests.forEach(request -> request.tell(new Answering.Count(asked.asker())));
    }
  }

  /** The request of a run whose gateway did not answer for it: it is only to be counted. */
  static Ask askOf(RunOrder order) {
    return new Ask(
        order.attempt(),
        new Ask.Credential(order.keyId(), ""),
        order.modelAsked(),
        order.inputTokens(),
        null,
        order.stream(),
        order.includeUsage(),
        order.label(),
        order.admittedAt().toEpochMilli(),
        order.deadline().toEpochMilli(),
        0,
        Ask.RetrievalChoice.OF_THE_TENANT,
        null,
        null,
        order.variables(),
        order.bodyBytes(),
        order.model().isEmbedder() ? Ask.Purpose.EMBEDDING : Ask.Purpose.CHAT);
  }
}
