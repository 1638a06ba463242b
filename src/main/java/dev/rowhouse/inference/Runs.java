package dev.rowhouse.inference;

import dev.rowhouse.tenant.ModelSpec;
import java.time.InstantSource;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.jspecify.annotations.Nullable;

/** Makes the runs of a node and holds what they share: engines, templates, the way to passages. */
public final class Runs implements RunFactory {
  private static final String BLOCKING = "rowhouse.blocking-dispatcher";

  private final InferenceSettings settings;
  private final PassageSource passages;
  private final TemplateRenderer templates;
  private final InstantSource clock;
  private final Map<String, Engine> engines;

  Runs(
      InferenceSettings settings,
      PassageSource passages,
      TemplateRenderer templates,
      InstantSource clock,
      Map<String, Engine> engines) {
    this.settings = settings;
    this.passages = passages;
    this.templates = templates;
    this.clock = clock;
    this.engines = Map.copyOf(engines);
  }

  /** The runs of this node, with the engines that it has: extractive and OpenAI-compatible. */
  public static Runs of(
      ActorSystem<?> system,
      InferenceSettings settings,
      PassageSource passages,
      TemplateRenderer templates,
      InstantSource clock) {
    UpstreamKeys keys =
        new UpstreamKeys(
            System::getenv,
            system.dispatchers().lookup(DispatcherSelector.fromConfig(BLOCKING)),
            settings.openai().keyRefresh(),
            clock);
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
            new OpenAiEngine(system, settings.openai(), keys, clock)));
  }

  @Override
  public Behavior<RunControl> create(
      RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunEnded> worker) {
    return Run.create(this, order, gateway, worker);
  }

  @Nullable Engine engine(String name) {
    return engines.get(name);
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
