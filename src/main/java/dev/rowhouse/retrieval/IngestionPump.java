package dev.rowhouse.retrieval;

import dev.rowhouse.retrieval.KnowledgeEntity.Command;
import dev.rowhouse.retrieval.KnowledgeEntity.Look;
import dev.rowhouse.retrieval.KnowledgeEntity.Looked;
import dev.rowhouse.retrieval.KnowledgeEntity.Stepped;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one tenant's ingestion going: look for a file, step until it is done, look again.
 *
 * <p>It belongs to the actor and is called from its messages only. Idle, it looks when told to;
 * looking or stepping, exactly one message is on its way back. A place in the node's gate is held
 * from the first step of a file to its last, and given back when the actor stops, however it stops.
 */
final class IngestionPump {
  private static final Logger LOG = LoggerFactory.getLogger(IngestionPump.class);

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final TenantKnowledge knowledge;
  private final IngestionGate gate;
  private final RetrievalSettings.Ingest settings;
  private boolean running;
  private boolean holdsPlace;
  private boolean paused;
  private boolean lookAgain;
  private int attempts;
  private String attempted = "";

  IngestionPump(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      TenantKnowledge knowledge,
      IngestionGate gate,
      RetrievalSettings.Ingest settings) {
    this.context = context;
    this.timers = timers;
    this.knowledge = knowledge;
    this.gate = gate;
    this.settings = settings;
  }

  /** Whether no work of it is on a thread. */
  boolean isQuiet() {
    return !running;
  }

  /** Whether it does not expect to look again by itself. */
  boolean isIdle() {
    return !running && !timers.isTimerActive(new Look());
  }

  /** Ends with the step that runs, until {@link #resume}. */
  void pause() {
    paused = true;
  }

  void resume() {
    paused = false;
    look();
  }

  /** Looks for a file, unless one is at hand: then after it. */
  void look() {
    if (running || paused) {
      lookAgain = true;
      return;
    }
    running = true;
    lookAgain = false;
    context.pipeToSelf(
        knowledge.nextIngestion(),
        (job, failure) -> new Looked(job == null ? null : job.orElse(null), failure != null));
  }

  void on(Looked looked) {
    Ingestion job = looked.job();
    if (job != null && !paused && gate.enter()) {
      holdsPlace = true;
      step(job);
      return;
    }
    running = false;
    if (job != null || looked.failed()) {
      lookLater();
    } else if (lookAgain) {
      look();
    }
  }

  void on(Stepped stepped) {
    Ingestion job = stepped.job();
    if (stepped.outcome() instanceof Ingestion.More && !paused) {
      step(job);
      return;
    }
    leave();
    running = false;
    if (stepped.outcome() == null) {
      retry(job);
    } else {
      look();
    }
  }

  private void step(Ingestion job) {
    context.pipeToSelf(knowledge.step(job), (outcome, failure) -> stepped(job, outcome, failure));
  }

  private static Command stepped(
      Ingestion job, Ingestion.@Nullable Outcome outcome, @Nullable Throwable failure) {
    if (failure != null) {
      LOG.warn("an ingestion into store {} broke and is tried again", job.store(), failure);
    }
    return new Stepped(job, outcome);
  }

  private void retry(Ingestion job) {
    String name = job.store() + "/" + job.file();
    attempts = name.equals(attempted) ? attempts + 1 : 1;
    attempted = name;
    if (attempts >= settings.attemptsMax()) {
      attempts = 0;
      context.pipeToSelf(knowledge.giveUp(job), (_, _) -> new Look());
    } else {
      lookLater();
    }
  }

  private void lookLater() {
    timers.startSingleTimer(new Look(), settings.retryAfter());
  }

  /** The actor has stopped. */
  void stopped() {
    leave();
  }

  private void leave() {
    if (holdsPlace) {
      holdsPlace = false;
      gate.leave();
    }
  }
}
