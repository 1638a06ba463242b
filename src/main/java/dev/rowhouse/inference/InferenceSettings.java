package dev.rowhouse.inference;

import com.typesafe.config.Config;
import java.time.Duration;

/** The tunables of this room; conf/inference.conf says what each is for. */
public record InferenceSettings(
    int initialCredit,
    int coalesceBytesMax,
    int pieceBytesMax,
    Duration bodyRetry,
    Duration searchTimeout,
    Duration textTimeout,
    Duration progressInterval,
    BreakerSettings breaker,
    OpenAi openai,
    Extractive extractive) {

  /** The tunables of calls to OpenAI-compatible upstreams. */
  public record OpenAi(
      int connectionsMax,
      int connectionsIdleMax,
      Duration connectionIdle,
      Duration connectTimeout,
      Duration responseTimeout,
      Duration streamIdleTimeout,
      int responseBytesMax,
      int eventBytesMax,
      Duration keyRefresh) {
    public OpenAi {
      atLeast(1, connectionsMax, "openai.connections-max");
      atLeast(0, connectionsIdleMax, "openai.connections-idle-max");
      atLeast(1024, responseBytesMax, "openai.response-bytes-max");
      atLeast(1024, eventBytesMax, "openai.event-bytes-max");
    }
  }

  /** The tunables of answers by extraction. */
  public record Extractive(int sentencesMax, double scoreMin, double scoreShareOfBestMin) {
    public Extractive {
      atLeast(1, sentencesMax, "extractive.sentences-max");
    }
  }

  public InferenceSettings {
    atLeast(1, initialCredit, "initial-credit");
    atLeast(1024, coalesceBytesMax, "coalesce-bytes-max");
    atLeast(1024, pieceBytesMax, "piece-bytes-max");
  }

  /** Reads {@code rowhouse.inference} of a node's configuration. */
  public static InferenceSettings of(Config root) {
    Config config = root.getConfig("rowhouse.inference");
    Config openai = config.getConfig("openai");
    Config extractive = config.getConfig("extractive");
    return new InferenceSettings(
        config.getInt("initial-credit"),
        bytes(config, "coalesce-bytes-max"),
        bytes(config, "piece-bytes-max"),
        config.getDuration("body-retry"),
        config.getDuration("search-timeout"),
        config.getDuration("text-timeout"),
        config.getDuration("progress-interval"),
        BreakerSettings.of(config.getConfig("breaker")),
        new OpenAi(
            openai.getInt("connections-max"),
            openai.getInt("connections-idle-max"),
            openai.getDuration("connection-idle"),
            openai.getDuration("connect-timeout"),
            openai.getDuration("response-timeout"),
            openai.getDuration("stream-idle-timeout"),
            bytes(openai, "response-bytes-max"),
            bytes(openai, "event-bytes-max"),
            openai.getDuration("key-refresh")),
        new Extractive(
            extractive.getInt("sentences-max"),
            extractive.getDouble("score-min"),
            extractive.getDouble("score-share-of-best-min")));
  }

  private static int bytes(Config config, String path) {
    return Math.toIntExact(config.getBytes(path));
  }

  private static void atLeast(int min, int value, String name) {
    if (value < min) {
      throw new IllegalArgumentException(
          "rowhouse.inference." + name + " is " + value + ", must be at least " + min);
    }
  }
}
