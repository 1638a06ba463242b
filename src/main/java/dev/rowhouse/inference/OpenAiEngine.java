package dev.rowhouse.inference;

import java.net.URI;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.Materializer;

/**
 * Calls an OpenAI-compatible upstream. Connections, times and sizes are bounded; redirects are not
 * followed, because the operator named one address and no other; and neither the address nor the
 * key nor the upstream's alias of the model shows in what a client gets.
 */
final class OpenAiEngine implements Engine {
  private final UpstreamConnections connections;
  private final UpstreamKeys keys;
  private final InferenceSettings.OpenAi settings;
  private final InstantSource clock;
  private final Materializer materializer;

  OpenAiEngine(
      ActorSystem<?> system,
      InferenceSettings.OpenAi settings,
      UpstreamKeys keys,
      InstantSource clock) {
    this.connections = new UpstreamConnections(system, settings, clock);
    this.keys = keys;
    this.settings = settings;
    this.clock = clock;
    this.materializer = Materializer.matFromSystem(system);
  }

  @Override
  public EngineCall call(EngineRequest request) {
    return new OpenAiCall(this, request);
  }

  /** Where a model's chat completions are. */
  record Endpoint(UpstreamConnections.Address address, String path) {
    static Endpoint of(String baseUrl) {
      URI uri = URI.create(baseUrl);
      String root = uri.getRawPath() == null ? "" : uri.getRawPath();
      while (root.endsWith("/")) {
        root = root.substring(0, root.length() - 1);
      }
      return new Endpoint(UpstreamConnections.Address.of(uri), root + "/chat/completions");
    }
  }

  UpstreamConnections connections() {
    return connections;
  }

  UpstreamKeys keys() {
    return keys;
  }

  InferenceSettings.OpenAi settings() {
    return settings;
  }

  InstantSource clock() {
    return clock;
  }

  Materializer materializer() {
    return materializer;
  }
}
