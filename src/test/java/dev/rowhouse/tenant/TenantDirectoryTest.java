package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.tenant.TenantDirectory.Envelope;
import dev.rowhouse.tenant.TenantDirectory.Query;
import dev.rowhouse.tenant.TenantDirectory.Row;
import dev.rowhouse.tenant.TenantProfile.Status;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The real way: records in a JDBC journal on an H2 file, the projector, the table. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TenantDirectoryTest {
  @TempDir private static Path directory;

  private @Nullable ActorTestKit started;
  private @Nullable TenantJournal opened;
  private final ExecutorService BLOCKING = Executors.newFixedThreadPool(2);

  @BeforeAll
  void start() throws Exception {
    opened = open(directory);
    started = ActorTestKit.create(journal().config());
    directory().createSchema();
    directory().createSchema();
  }

  @AfterAll
  void shutDown() {
    kit().shutdownTestKit();
    journal().close();
    BLOCKING.shutdownNow();
  }

  @Test
  void showsWhatTheRecordsSayAndGoesOnAfterAStop() throws Exception {
    onboard("acme", "{\"display_name\": \"Acme\"}");
    onboard("globex", "{\"plan\": \"free\"}");
    onboard("initial", "{}");
    ActorRef<TenantDirectoryProjector.Command> projector = kit().spawn(projector());
    await(() -> page(query(null, 10, null, null)).size() == 3);

    List<Row> rows = page(query(null, 10, null, null));
    assertEquals(List.of("acme", "globex", "initial"), ids(rows));
    assertEquals("Acme", rows.getFirst().displayName());
    assertEquals("standard", rows.getFirst().plan());
    assertEquals(Status.ACTIVE, rows.getFirst().status());
    assertEquals(List.of("acme", "initial"), ids(page(query(null, 10, null, "standard"))));
    assertEquals(List.of("globex"), ids(page(query(null, 10, null, "free"))));

    TenantDirectory.Page first = get(directory().list(query(null, 2, null, null)));
    assertTrue(first.hasMore());
    assertEquals(List.of("acme", "globex"), ids(first.rows()));
    TenantDirectory.Page second = get(directory().list(query("globex", 2, null, null)));
    assertFalse(second.hasMore());
    assertEquals(List.of("initial"), ids(second.rows()));

    kit().stop(projector);
    change("acme", new TenantCommand.Suspend("s"));
    change("globex", new TenantCommand.Offboard("o"));
    change("initial", new TenantCommand.PutPrompt("p", "a", "A", null));
    kit().spawn(projector());
    await(() -> ids(page(query(null, 10, Status.OFFBOARDED, null))).equals(List.of("globex")));
    assertEquals(List.of("acme"), ids(page(query(null, 10, Status.SUSPENDED, null))));
    assertEquals(List.of("initial"), ids(page(query(null, 10, Status.ACTIVE, null))));
    assertNull(page(query(null, 10, Status.OFFBOARDED, null)).getFirst().displayName());
  }

  @Test
  void aWriterThatWasOvertakenWritesNothing() throws Exception {
    TenantDirectory directory = directory();
    String from = get(directory.offset());
    TenantEvent event = new TenantEvent.Suspended(new TenantId("nobody"), "r", Instant.EPOCH);
    CompletionException e =
        assertThrows(
            CompletionException.class,
            () ->
                directory
                    .write(from + "9", List.of(new Envelope(event, 1, "sequence:1")))
                    .toCompletableFuture()
                    .join());
    assertTrue(String.valueOf(e.getCause()).contains("another projector"), e.toString());
    assertEquals(List.of(), page(query("nobodx", 1, Status.SUSPENDED, null)));
  }

  @Test
  void anAbsurdPageIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> query(null, 0, null, null));
    assertThrows(IllegalArgumentException.class, () -> query(null, 1_001, null, null));
  }

  private Query query(
      @Nullable String after, int limit, @Nullable Status status, @Nullable String plan) {
    return new Query(after, limit, status, plan);
  }

  private List<Row> page(Query query) throws Exception {
    return get(directory().list(query)).rows();
  }

  private List<String> ids(List<Row> rows) {
    return rows.stream().map(row -> row.tenant().value()).toList();
  }

  private void onboard(String tenant, String body) throws Exception {
    TenantSpec spec =
        TenantSpecReaderTest.value(
            TenantSpecReader.read(
                Json.read(body),
                new TenantId(tenant),
                new Catalog(
                    0,
                    java.util.Map.of(),
                    java.util.Map.of("free", new Plan("free", 1, Limits.UNSET, 1)))));
    TenantReply reply = change(tenant, new TenantCommand.Onboard("on", spec, TenantTest.newKey(1)));
    assertInstanceOf(TenantReply.Onboarded.class, reply, reply::toString);
  }

  private TenantReply change(String tenant, TenantCommand command) {
    TestProbe<TenantRecord.Notice> parent = kit().createTestProbe(TenantRecord.Notice.class);
    TestProbe<TenantReply> answers = kit().createTestProbe(TenantReply.class);
    TenantRecord.Setting setting =
        new TenantRecord.Setting(
            new FakeFence(),
            JournalProbe.of(kit().system(), journal().readJournal()),
            keys(),
            new TenantSealing(kit().system()),
            Duration.ofMinutes(1),
            "standard",
            InstantSource.system());
    ActorRef<TenantRecord.Command> record =
        kit().spawn(TenantRecord.create(new TenantId(tenant), parent.getRef(), setting));
    record.tell(new TenantRecord.Execute(command, answers.getRef()));
    TenantReply reply = answers.receiveMessage(Duration.ofMinutes(1));
    kit().stop(record);
    return reply;
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void await(Condition condition) throws Exception {
    long deadlineNanos = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.holds()) {
      assertTrue(System.nanoTime() < deadlineNanos, "not within 30 s");
      Thread.sleep(50);
    }
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private org.apache.pekko.actor.typed.Behavior<TenantDirectoryProjector.Command> projector() {
    return TenantDirectoryProjector.create(
        directory(), journal().readJournal(), Duration.ofMillis(100), Duration.ofSeconds(1));
  }

  private TenantDirectory directory() {
    return new TenantDirectory(
        journal().storage(), BLOCKING, "standard", keys(), new TenantSealing(kit().system()));
  }

  private DataKeys keys() {
    return KeysFixture.keys(journal().storage(), BLOCKING);
  }

  private TenantJournal journal() {
    return java.util.Objects.requireNonNull(opened);
  }

  private ActorTestKit kit() {
    return java.util.Objects.requireNonNull(started);
  }

  TenantJournal open(Path directory) {
    return TenantJournal.sql(directory);
  }
}
