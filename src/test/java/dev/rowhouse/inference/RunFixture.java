package dev.rowhouse.inference;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.HandClock;
import dev.rowhouse.inference.RunOrder.RetrievalPlan;
import dev.rowhouse.retrieval.Retrieval;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.PromptTemplate;
import dev.rowhouse.tenant.TenantId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/** A run with a gateway and a worker around it, played by the test. */
final class RunFixture {
  static final TenantId ACME = new TenantId("acme");
  static final TenantId GLOBEX = new TenantId("globex");

  /** When every order comes in; the clock of the runs stands there until a test moves it. */
  static final Instant START = Instant.parse("2026-03-01T10:00:00Z");

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  static final Config CONF = ConfigFactory.parseResources("inference.conf").resolve();
  static final String QUESTION =
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"How long is the"
          + " warranty?\"}],\"rowhouse\":{\"cache\":false}}";

  final ActorTestKit kit;
  final TestProbe<RunEvent> gateway;
  final TestProbe<RunNote> worker;

  /** What the run told its worker before the end. */
  final List<RunNote> notes = new ArrayList<>();

  final HandClock clock = new HandClock(START);
  final Documents documents = new Documents();
  InferenceSettings settings = InferenceSettings.of(CONF);
  TextEmbedder embedder = new LetterEmbedder();

  RunFixture(ActorTestKit kit) {
    this.kit = kit;
    this.gateway = kit.createTestProbe();
    this.worker = kit.createTestProbe();
  }

  void conf(String overrides) {
    settings =
        InferenceSettings.of(
            ConfigFactory.parseString("rowhouse.inference { " + overrides + " }")
                .withFallback(CONF));
  }

  /** The passages of a test, found whatever the query is. */
  static final class Documents implements PassageSource {
    final List<Passage> passages = new ArrayList<>();
    final List<Sentence> sentences = new ArrayList<>();
    volatile boolean silent;

    @Override
    public CompletionStage<List<Passage>> search(RetrievalPlan plan, String query) {
      return silent
          ? new CompletableFuture<>()
          : CompletableFuture.completedFuture(List.copyOf(passages));
    }

    @Override
    public CompletionStage<List<Sentence>> bestSentences(
        String question, List<Passage> from, int n) {
      return CompletableFuture.completedFuture(List.copyOf(sentences));
    }

    Passage add(TenantId tenant, String file, String text, double score) {
      Passage passage = new Passage(tenant, "file-" + file, file, "default", text, score);
      passages.add(passage);
      sentences.add(new Sentence(passage, text, score));
      return passage;
    }
  }

  static ModelSpec model(String name, String engine, @Nullable String baseUrl) {
    return new ModelSpec(
        name, engine, baseUrl, "secret-alias", null, 1, null, 0, 0, 1, 2, null, null);
  }

  static ModelSpec withKey(ModelSpec model, String reference) {
    return new ModelSpec(
        model.name(),
        model.engine(),
        model.baseUrl(),
        model.upstreamModel(),
        reference,
        1,
        null,
        0,
        0,
        1,
        2,
        null,
        null);
  }

  /** An order in the making. */
  static final class Order {
    List<ModelSpec> models = List.of();
    boolean stream;
    boolean includeUsage;
    boolean retrieve;
    @Nullable PromptTemplate prompt;
    Map<String, String> variables = Map.of();
    Duration deadline = Duration.ofMinutes(10);
    String body = QUESTION;

    RunOrder build() {
      RetrievalPlan plan =
          retrieve ? new RetrievalPlan(Retrieval.handleOf(ACME), List.of("default"), 5) : null;
      return new RunOrder(
          "0190-attempt",
          ACME,
          "key-1",
          "m",
          models.getFirst(),
          models.subList(1, models.size()),
          stream,
          includeUsage,
          null,
          START,
          7,
          START.plus(deadline),
          11,
          plan,
          prompt,
          variables,
          body.getBytes(StandardCharsets.UTF_8).length);
    }
  }

  static Order order(ModelSpec... models) {
    Order order = new Order();
    order.models = List.of(models);
    return order;
  }

  Runs runs() {
    var keys =
        new UpstreamKeys(
            name -> name.equals("TEST_KEY") ? "sk-test-secret" : null,
            Executors.newVirtualThreadPerTaskExecutor(),
            Duration.ofSeconds(1),
            InstantSource.system());
    return new Runs(
        settings,
        documents,
        (template, _, block) -> template.template() + "\n" + block,
        clock,
        Map.of(
            ModelSpec.EMBEDDED,
            new ExtractiveEngine(documents, settings.extractive(), 5_000),
            ModelSpec.OPENAI,
            new OpenAiEngine(kit.system(), settings.openai(), keys, clock)),
        embedder,
        Executors.newVirtualThreadPerTaskExecutor());
  }

  /** Starts the run and does not give it its body yet. */
  ActorRef<RunControl> spawn(RunOrder order, ActorRef<RunEvent> to) {
    return kit.spawn(runs().create(order, to, worker.getRef()));
  }

  /** Starts the run and gives it its body in one piece. */
  ActorRef<RunControl> start(Order making) {
    RunOrder order = making.build();
    ActorRef<RunControl> run = spawn(order, gateway.getRef());
    gateway.expectMessageClass(RunEvent.PullBody.class, PATIENCE);
    run.tell(new RunControl.Body(0, ByteString.fromString(making.body), true));
    return run;
  }

  /** What a client would have got. */
  record Answer(List<String> pieces, List<String> tail, RunReport report) {
    String body() {
      return String.join("", pieces) + String.join("", tail);
    }

    JsonNode json() throws IOException {
      return JsonMembers.MAPPER.readTree(body());
    }

    List<JsonNode> chunks() throws IOException {
      List<JsonNode> chunks = new ArrayList<>();
      for (String piece : pieces) {
        chunks.add(JsonMembers.MAPPER.readTree(piece));
      }
      for (String piece : tail) {
        chunks.add(JsonMembers.MAPPER.readTree(piece));
      }
      return chunks;
    }

    String text() throws IOException {
      StringBuilder text = new StringBuilder();
      for (JsonNode chunk : chunks()) {
        text.append(chunk.at("/choices/0/delta/content").asText(""));
      }
      return text.toString();
    }
  }

  /** The next pieces; the first run of a process has much to load. */
  RunEvent.Pieces pieces() {
    return gateway.expectMessageClass(RunEvent.Pieces.class, PATIENCE);
  }

  /** The word of the end to the worker; what came before it is kept. */
  RunEnded ended() {
    while (true) {
      RunNote note = worker.receiveMessage(PATIENCE);
      if (note instanceof RunEnded ended) {
        return ended;
      }
      notes.add(note);
    }
  }

  /** What the run said of the endpoints that it called. */
  List<CallEnded> calls() {
    return notes.stream().filter(CallEnded.class::isInstance).map(CallEnded.class::cast).toList();
  }

  /** Takes the answer to its end, with credit for all of it. */
  Answer finish(ActorRef<RunControl> run) {
    return finishFrom(run, 0);
  }

  /** The rest of an answer of which so many messages were taken. */
  Answer finishFrom(ActorRef<RunControl> run, long messages) {
    run.tell(new RunControl.Credit(Long.MAX_VALUE));
    List<String> pieces = new ArrayList<>();
    long number = messages;
    while (true) {
      switch (gateway.receiveMessage(PATIENCE)) {
        case RunEvent.Pieces more -> {
          if (more.number() != number++) {
            throw new AssertionError("piece " + more.number() + " out of order");
          }
          more.pieces().forEach(piece -> pieces.add(piece.utf8String()));
        }
        case RunEvent.Ended ended -> {
          RunEnded told = ended();
          if (!told.report().equals(ended.report())) {
            throw new AssertionError("worker and gateway heard different reports");
          }
          gateway.expectTerminated(run, PATIENCE);
          gateway.expectNoMessage(Duration.ofMillis(20));
          worker.expectNoMessage(Duration.ofMillis(20));
          return new Answer(
              pieces, ended.tail().stream().map(ByteString::utf8String).toList(), ended.report());
        }
        case RunEvent.PullBody _ -> {}
        case RunEvent.TicketRefused _, RunEvent.WorkerFailed _ ->
            throw new AssertionError("that is the worker's word");
      }
    }
  }
}
