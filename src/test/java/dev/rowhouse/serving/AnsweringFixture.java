package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.rowhouse.HandClock;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.inference.RunControl;
import dev.rowhouse.inference.RunEvent;
import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.serving.Samples.Profile;
import dev.rowhouse.serving.Samples.Request;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/** A gateway's side of one request between probes: its tenant, its worker, its run, its client. */
abstract class AnsweringFixture {
  static final Duration QUIET = Duration.ofMillis(150);
  static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Instant START = Instant.ofEpochMilli(Samples.NOW);
  static final TenantId TENANT = Samples.TENANT;
  static final long DURABLE_WAIT_MILLIS = 20_000;

  final ActorTestKit kit;
  final HandClock clock = new HandClock(START);
  final TestProbe<ShardingEnvelope<TenantEntity.Command>> region;
  final TestProbe<SlotOwner> worker;
  final TestProbe<RunControl> run;
  final CompletableFuture<Answer> answer = new CompletableFuture<>();
  final Request request = new Request();
  final Desk desk = Samples.desk(new Profile().build());
  @Nullable ActorRef<Object> spawned;

  AnsweringFixture(ActorTestKit kit) {
    this.kit = kit;
    region = kit.createTestProbe();
    worker = kit.createTestProbe();
    run = kit.createTestProbe();
  }

  @AfterEach
  void stop() {
    if (spawned != null) {
      kit.stop(spawned);
    }
  }

  /** The requests that the gateway says it has. */
  final InHand inHand = new InHand();

  void start() {
    start(bytes("{}"));
  }

  void start(ByteString body) {
    request.receivedAtMillis = START.toEpochMilli();
    request.deadlineMillis = request.receivedAtMillis + 300_000;
    request.bodyBytes = body.size();
    Answering.Settings settings =
        new Answering.Settings(
            new TenantPort(kit.system(), region.ref(), Duration.ofSeconds(3)),
            clock,
            DURABLE_WAIT_MILLIS,
            1_000,
            kit.<Throttle.Notice>createTestProbe().ref(),
            inHand,
            () -> true,
            new Random(1));
    spawned = kit.spawn(Answering.create(settings, TENANT, request.build(), body, answer));
    TenantEntity.Admit admit = told(TenantEntity.Admit.class);
    assertEquals(spawned, admit.gateway());
  }

  /** Starts it, lets it go, and lets the run begin. */
  Verdict.Go runs() {
    start();
    Verdict.Go go = go(1);
    tell(go);
    WorkerCommand.Start start = worker.expectMessageClass(WorkerCommand.Start.class, PATIENCE);
    assertEquals(go.order(), start.order());
    start.gateway().tell(new RunEvent.PullBody(attempt(), 0, run.ref()));
    assertEquals(bytes("{}"), run.expectMessageClass(RunControl.Body.class, PATIENCE).bytes());
    return go;
  }

  /** Lets so much time have passed since the start. */
  void ahead(long millis) {
    clock.pass(Duration.between(clock.current(), START.plusMillis(millis)));
  }

  Verdict.Go go(long seq) {
    return go(request.build(), seq);
  }

  Verdict.Go go(Ask ask, long seq) {
    InFlight admitted =
        new InFlight(
            ask,
            new Route(Samples.SMALL, List.of(), null),
            kit.<Object>createTestProbe().ref(),
            0,
            0,
            List.of(),
            0,
            true);
    RunOrder order =
        new Orders(TENANT).order(admitted, new Profile().build(), request.receivedAtMillis);
    return new Verdict.Go(
        order,
        new SlotTicket("small", "w1", 1, 0, seq),
        worker.ref(),
        desk.view("k1", request.receivedAtMillis));
  }

  RunEvent.TicketRefused refused(long seq) {
    return new RunEvent.TicketRefused(attempt(), go(seq).ticket());
  }

  Verdict.Waiting waiting() {
    return new Verdict.Waiting(0, desk.view("k1", request.receivedAtMillis));
  }

  ActorRef<Object> gateway() {
    assertNotNull(spawned);
    return spawned;
  }

  void tell(Object message) {
    assertNotNull(spawned);
    spawned.tell(message);
  }

  /** The next word of that kind to the tenant; repeated questions in between do not matter. */
  <T extends TenantEntity.Command> T told(Class<T> type) {
    while (true) {
      ShardingEnvelope<TenantEntity.Command> envelope = region.receiveMessage(PATIENCE);
      assertEquals(TENANT.value(), envelope.entityId());
      if (type.isInstance(envelope.message())) {
        return type.cast(envelope.message());
      }
      assertInstanceOf(TenantEntity.Admit.class, envelope.message());
    }
  }

  /** The same, while time passes: a death may be known later than the test knows of it. */
  <T extends TenantEntity.Command> T toldInTime(Class<T> type) {
    return region.awaitAssert(
        PATIENCE,
        () -> {
          clock.pass(Duration.ofSeconds(3));
          TenantEntity.Command command = region.receiveMessage(Duration.ofMillis(100)).message();
          return type.cast(assertInstanceOf(type, command));
        });
  }

  void isGone() {
    assertNotNull(spawned);
    kit.createTestProbe().expectTerminated(spawned, PATIENCE);
  }

  Answer answered() throws Exception {
    return answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  SinkQueueWithCancel<Answer.Part> stream() throws Exception {
    Answer.Streamed streamed = assertInstanceOf(Answer.Streamed.class, answered());
    return streamed
        .parts()
        .runWith(
            Sink.<Answer.Part>queue()
                .withAttributes(org.apache.pekko.stream.Attributes.inputBuffer(1, 1)),
            kit.system());
  }

  static List<ByteString> chunks(SinkQueueWithCancel<Answer.Part> parts) throws Exception {
    return assertInstanceOf(Answer.Part.Chunks.class, part(parts)).json();
  }

  static Answer.Part part(SinkQueueWithCancel<Answer.Part> parts) throws Exception {
    return pulled(parts).orElseThrow();
  }

  static Optional<Answer.Part> pulled(SinkQueueWithCancel<Answer.Part> parts) throws Exception {
    return parts.pull().toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  String attempt() {
    return request.attempt;
  }

  static RunReport report(RunOrder order) {
    return new RunReport(
        order, RunReport.Outcome.COMPLETED, 10, 5, false, "small", null, null, null, 200, 5, 20);
  }

  static RunReport failed(RunOrder order) {
    return new RunReport(
        order,
        RunReport.Outcome.FAILED,
        10,
        0,
        false,
        "small",
        "upstream_error",
        "The upstream said no.",
        null,
        502,
        -1,
        20);
  }

  static ByteString bytes(String text) {
    return ByteString.fromString(text);
  }
}
