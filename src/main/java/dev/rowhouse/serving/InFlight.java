package dev.rowhouse.serving;

import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.PromptTemplate;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** A request between admission and settlement. */
final class InFlight {
  final Ask ask;
  final ModelSpec model;
  final List<ModelSpec> fallbacks;
  final @Nullable PromptTemplate prompt;
  final ActorRef<Object> gateway;
  final long arrival;
  final long reservedTokens;

  /** What it holds of the meters that it counts on. */
  final List<Meter.Hold> holds;

  /** Weighted tokens that it is expected to cost in fair sharing. */
  final double fairCost;

  final boolean isSmall;
  boolean running;
  Verdict.@Nullable Go go;

  InFlight(
      Ask ask,
      Route route,
      ActorRef<Object> gateway,
      long arrival,
      long reservedTokens,
      List<Meter.Hold> holds,
      double fairCost,
      boolean isSmall) {
    this.ask = ask;
    this.model = route.model();
    this.fallbacks = route.fallbacks();
    this.prompt = route.prompt();
    this.gateway = gateway;
    this.arrival = arrival;
    this.reservedTokens = reservedTokens;
    this.holds = holds;
    this.fairCost = fairCost;
    this.isSmall = isSmall;
  }

  /** The same request as another attempt: its turn and what it has reserved stay. */
  InFlight as(Ask next, ActorRef<Object> by) {
    return new InFlight(
        next,
        new Route(model, fallbacks, prompt),
        by,
        arrival,
        reservedTokens,
        holds,
        fairCost,
        isSmall);
  }

  /** The same request, answered by another model. */
  InFlight by(ModelSpec other, double otherFairCost, boolean small) {
    List<ModelSpec> rest = new ArrayList<>(fallbacks);
    rest.remove(other);
    rest.add(model);
    return new InFlight(
        ask,
        new Route(other, List.copyOf(rest), prompt),
        gateway,
        arrival,
        reservedTokens,
        holds,
        otherFairCost,
        small);
  }

  String attempt() {
    return ask.attempt();
  }

  String pool() {
    return model.name();
  }

  static int inTurn(InFlight a, InFlight b) {
    int byPriority = Integer.compare(b.ask.priority(), a.ask.priority());
    if (byPriority != 0) {
      return byPriority;
    }
    int byDeadline = Long.compare(a.ask.deadlineMillis(), b.ask.deadlineMillis());
    return byDeadline != 0 ? byDeadline : Long.compare(a.arrival, b.arrival);
  }
}
