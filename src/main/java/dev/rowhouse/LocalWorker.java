package dev.rowhouse;

import com.typesafe.config.Config;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.inference.EndpointHealth;
import dev.rowhouse.inference.HouseEmbedder;
import dev.rowhouse.inference.InferenceSettings;
import dev.rowhouse.inference.InferenceWorker;
import dev.rowhouse.inference.KnowledgePassages;
import dev.rowhouse.inference.Runs;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.inference.WorkerSettings;
import dev.rowhouse.retrieval.BgeEmbedder;
import dev.rowhouse.retrieval.Retrieval;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.PromptRenderer;
import java.time.InstantSource;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;

/** The worker of this node: it runs what its slots are given for. */
final class LocalWorker {
  private LocalWorker() {}

  /** Starts it where this node has the role. */
  static void start(
      Foundation base,
      ActorRef<FairnessCoordinator.Command> coordinator,
      TenantPort tenants,
      BgeEmbedder embedder,
      ActorRef<CatalogReplica.Command> copy) {
    if (!base.hasRole("worker")) {
      return;
    }
    ActorSystem<Void> system = base.system();
    Config config = base.config();
    InstantSource clock = base.clock();
    PromptRenderer renderer =
        new PromptRenderer(config.getInt("rowhouse.tenant.prompt-length-max"));
    InferenceSettings inference = InferenceSettings.of(config);
    Runs runs =
        Runs.of(
            system,
            inference,
            new KnowledgePassages(Retrieval.create(system, embedder)),
            new PromptTemplates(renderer),
            new HouseEmbedder(embedder),
            clock);
    ActorRef<SlotOwner> worker =
        system.systemActorOf(
            InferenceWorker.create(
                base.self(),
                clock.millis(),
                coordinator,
                runs,
                (report, replyTo) ->
                    tenants.tell(
                        report.order().tenant(), new TenantEntity.Settle(report, replyTo, null)),
                WorkerSettings.from(config),
                new EndpointHealth(inference.breaker(), new SplittableRandom())),
            "worker",
            DispatcherSelector.defaultDispatcher());
    system.receptionist().tell(Receptionist.register(InferenceWorker.KEY, worker));
    ActorRef<Catalog> catalogs =
        system.systemActorOf(
            Behaviors.receiveMessage(
                (Catalog changed) -> {
                  worker.tell(new WorkerCommand.CatalogChanged(changed));
                  return Behaviors.same();
                }),
            "worker-catalog",
            DispatcherSelector.defaultDispatcher());
    copy.tell(new CatalogReplica.Watch(catalogs));
    CoordinatedShutdown.get(system)
        .addTask(
            CoordinatedShutdown.PhaseServiceStop(),
            "drain-worker",
            () ->
                OrderlyEnd.isDowned(system)
                    ? CompletableFuture.completedFuture(Done.getInstance())
                    : AskPattern.<SlotOwner, Done>ask(
                        worker,
                        WorkerCommand.Drain::new,
                        WorkerSettings.from(config).drainTimeout(),
                        system.scheduler()));
  }
}
