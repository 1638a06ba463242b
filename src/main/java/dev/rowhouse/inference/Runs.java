package dev.rowhouse.inference;

import dev.rowhouse.tenant.ModelSpec;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.jspecify.annotations.Nullable;

/** Makes the runs of a node and holds what they share: engines, embedder, the way to passages. */
public final class Runs implements RunFactory {
  private static final String BLOCKING = "rowhouse.blocking-dispatcher";

  private final InferenceSettings settings;
  private final PassageSource passages;
  private final TemplateRenderer templates;
  private final InstantSource clock;
  private final Map<String, Engine> engines;
  private final TextEmbedder embedder;
  private final Executor blocking;

  Runs(
      InferenceSettings settings,
      PassageSource passages,
      TemplateRenderer templates,
      InstantSource clock,
      Map<String, Engine> engines,
      TextEmbedder embedder,
      Executor blocking) {
    this.settings = settings;
    this.passages = passages;
    this.templates = templates;
    this.clock = clock;
    this.engines = Map.copyOf(engines);
    this.embedder = embedder;
    this.blocking = blocking;
  }

  /** The runs of this node, with the engines that it has: extractive and OpenAI-compatible. */
  public static Runs of(
      ActorSystem<?> system,
      InferenceSettings settings,
      PassageSource passages,
      TemplateRenderer templates,
      TextEmbedder embedder,
      InstantSource clock) {
    Executor blocking = system.dispatchers().lookup(DispatcherSelector.fromConfig(BLOCKING));
    UpstreamKeys keys =
        new UpstreamKeys(System::getenv, blocking, settings.openai().keyRefresh(), clock);
    return new Runs(
        settings,
        passages,
        templates,
        clock,
        Map.of(
            ModelSpec.EMBEDDED,
            new ExtractiveEngine(
                passages, settings.extractive(), settings.searchTimeout().toMillis()),
            ModelSpec.OPENAI,
            new OpenAiEngine(system, settings.openai(), keys, clock)),
        embedder,
        blocking);
  }

  @Override
  public Behavior<RunControl> create(
      RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunNote> worker) {
    return order.model().isEmbedder()
        ? EmbeddingRun.create(this, order, gateway, worker)
        : Run.create(this, order, gateway, worker);
  }

  @Nullable Engine engine(String name) {
    return engines.get(name);
  }

  TextEmbedder embedder() {
    return embedder;
  }

  /** Where a run may compute and wait. */
  Executor blocking() {
    return blocking;
  }

  InferenceSettings settings() {
    return settings;
  }

  PassageSource passages() {
    return passages;
  }

  TemplateRenderer templates() {
    return templates;
  }

  InstantSource clock() {
    return clock;
  }
}
