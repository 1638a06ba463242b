package dev.rowhouse.serving;

import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.inference.InferenceWorker;
import dev.rowhouse.inference.WorkerCommand;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.receptionist.Receptionist;

/** The workers of the cluster, by their own words. One that does not answer is left out. */
public final class Workers {
  private final ActorSystem<?> system;
  private final Duration askTimeout;

  public Workers(ActorSystem<?> system, Duration askTimeout) {
    this.system = system;
    this.askTimeout = askTimeout;
  }

  /**
   * One worker.
   *
   * @param incarnation a later start has a larger one
   * @param restarts how often it has failed and started again in its process
   * @param slots open slots by pool
   * @param ticketsRefused by reason, since its start
   * @param endpoints the health of each model that has an upstream
   */
  public record View(
      String worker,
      long incarnation,
      long restarts,
      Map<String, Integer> slots,
      int running,
      int settlementsPending,
      Map<String, Long> ticketsRefused,
      List<Endpoint> endpoints) {
    public View {
      slots = new TreeMap<>(slots);
      ticketsRefused = new TreeMap<>(ticketsRefused);
      endpoints = List.copyOf(endpoints);
    }
  }

  /** The circuit breaker of a model's endpoint at one worker. */
  public record Endpoint(
      String model,
      String state,
      boolean throttled,
      long reopensInMillis,
      int calls,
      int failures,
      long openedTotal) {}

  /** All workers that are to be reached. */
  public CompletionStage<List<View>> all() {
    return views(_ -> true);
  }

  /** The worker of this node, if it has one. */
  public CompletionStage<List<View>> here() {
    return views(worker -> worker.path().address().hasLocalScope());
  }

  private CompletionStage<List<View>> views(Predicate<ActorRef<SlotOwner>> which) {
    return AskPattern.<Receptionist.Command, Receptionist.Listing>ask(
            system.receptionist(),
            replyTo -> Receptionist.find(InferenceWorker.KEY, replyTo),
            askTimeout,
            system.scheduler())
        .thenCompose(
            listing ->
                describe(
                    listing.getServiceInstances(InferenceWorker.KEY).stream()
                        .filter(which)
                        .toList()));
  }

  private CompletionStage<List<View>> describe(List<ActorRef<SlotOwner>> workers) {
    List<CompletableFuture<List<View>>> answers = new ArrayList<>();
    for (ActorRef<SlotOwner> worker : workers) {
      answers.add(
          AskPattern.<SlotOwner, WorkerCommand.Description>ask(
                  worker, WorkerCommand.Describe::new, askTimeout, system.scheduler())
              .handle(
                  (description, failure) ->
                      description == null ? List.<View>of() : List.of(view(description)))
              .toCompletableFuture());
    }
    return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
        .thenApply(
            _ ->
                answers.stream()
                    .flatMap(answer -> answer.join().stream())
                    .sorted(Comparator.comparing(View::worker))
                    .toList());
  }

  private static View view(WorkerCommand.Description said) {
    List<Endpoint> endpoints =
        said.endpoints().stream()
            .map(
                one ->
                    new Endpoint(
                        one.model(),
                        one.state(),
                        one.throttled(),
                        one.reopensInMillis(),
                        one.calls(),
                        one.failures(),
                        one.openedTotal()))
            .toList();
    return new View(
        said.worker(),
        said.incarnation(),
        said.restarts(),
        said.slots(),
        said.running(),
        said.settlementsPending(),
        said.ticketsRefused(),
        endpoints);
  }
}
