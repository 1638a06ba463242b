package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.tenant.TenantRecord.Command;
import dev.rowhouse.tenant.TenantRecord.Execute;
import dev.rowhouse.tenant.TenantRecord.Notice;
import dev.rowhouse.tenant.TenantReply.Reason;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.query.EventEnvelope;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.persistence.query.javadsl.CurrentEventsByPersistenceIdQuery;
import org.apache.pekko.stream.javadsl.Sink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A tenant's record in a real journal. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class TenantRecordContract {
  /** A probe waits for so long: a journal on a machine that does other things. */
  private static final String PATIENCE =
      "pekko.actor.testkit.typed.single-expect-default = 60s, pekko.loglevel = WARNING";

  private final TenantJournal journal;
  private final ActorTestKit kit;
  private final DataKeys keys = KeysFixture.keys();
  private int tenants;

  private FakeFence fence = new FakeFence();
  private TestProbe<Notice> parent;
  private TestProbe<TenantReply> answers;
  private TenantId id = new TenantId("none");
  private @Nullable ActorRef<Command> started;

  TenantRecordContract(TenantJournal journal) {
    this.journal = journal;
    kit = ActorTestKit.create(ConfigFactory.parseString(PATIENCE).withFallback(journal.config()));
    parent = kit.createTestProbe(Notice.class);
    answers = kit.createTestProbe(TenantReply.class);
  }

  @AfterAll
  void shutDown() {
    kit.shutdownTestKit();
    journal.close();
  }

  @BeforeEach
  void start() {
    fence = new FakeFence();
    parent = kit.createTestProbe(Notice.class);
    answers = kit.createTestProbe(TenantReply.class);
    id = new TenantId("acme-" + ++tenants);
    started = spawn();
  }

  @Test
  void tellsItsParentThatThereIsNoSuchTenant() {
    assertEquals(new TenantRecord.Unknown(id), parent.receiveMessage());
    assertEquals(0, fence.claims("tenant|" + id));
  }

  @Test
  void tellsItsParentAfterEachChange() {
    parent.receiveMessage();
    onboard();
    assertEquals(1, changed().version());
    ask(new TenantCommand.Suspend("s"));
    TenantProfile profile = changed();
    assertEquals(TenantProfile.Status.SUSPENDED, profile.status());
    assertEquals(2, profile.version());
    assertEquals(1, fence.claims("tenant|" + id));
  }

  @Test
  void isThereAgainAfterAStopWithAllItHad() {
    parent.receiveMessage();
    onboard();
    for (int i = 1; i <= 60; i++) {
      ask(new TenantCommand.PutPrompt("p" + i, "greeting", "Hello " + i, null));
    }
    ask(
        new TenantCommand.CreateKey(
            "k",
            TenantTest.newKey(7),
            "ci",
            Set.of(Scope.USAGE_READ),
            Instant.parse("2027-01-01T00:00:00Z"),
            null));
    TenantProfile before = profile();
    kit.stop(record());
    TestProbe<Notice> next = kit.createTestProbe(Notice.class);
    started = kit.spawn(TenantRecord.create(id, next.getRef(), setting()));
    assertInstanceOf(TenantRecord.Keyed.class, next.receiveMessage());
    assertEquals(new TenantRecord.ProfileChanged(before), next.receiveMessage());
    assertEquals(before, profile());
  }

  @Test
  void readsWithoutTheFenceAndWritesNothingWhileItIsAway() {
    onboard();
    fence.isAway = true;
    assertInstanceOf(TenantReply.ProfileIs.class, ask(new TenantCommand.GetProfile()));
    assertRefused(Reason.JOURNAL_UNAVAILABLE, ask(new TenantCommand.Suspend("s")));
    fence.isAway = false;
    assertInstanceOf(TenantReply.ProfileIs.class, ask(new TenantCommand.Suspend("s")));
  }

  @Test
  void refusesAndStopsWhenAnotherMayWrite() {
    onboard();
    fence.claim("tenant|" + id);
    // Both are answered, the one that waits too.
    fence.gate = new CompletableFuture<>();
    record().tell(new Execute(new TenantCommand.Suspend("s"), answers.getRef()));
    record().tell(new Execute(new TenantCommand.Suspend("t"), answers.getRef()));
    fence.gate.complete(null);
    assertRefused(Reason.RECORD_MOVED, answers.receiveMessage());
    assertRefused(Reason.RECORD_MOVED, answers.receiveMessage());
    answers.expectTerminated(record());
  }

  @Test
  void doesNotWriteOverWhatAnotherWroteSinceItRecovered() {
    TestProbe<Notice> other = kit.createTestProbe(Notice.class);
    ActorRef<Command> late = kit.spawn(TenantRecord.create(id, other.getRef(), setting()));
    assertEquals(new TenantRecord.Unknown(id), other.receiveMessage());
    onboard();
    // The other has recovered an empty record, and claims now.
    late.tell(
        new Execute(
            new TenantCommand.Onboard("o2", TenantTest.spec("x"), TenantTest.newKey(2)),
            answers.getRef()));
    assertRefused(Reason.RECORD_MOVED, answers.receiveMessage());
    answers.expectTerminated(late);
    assertEquals("Acme", profile().displayName());
  }

  @Test
  void stopsWhenAskedAfterWhatItHolds() {
    record()
        .tell(
            new Execute(
                new TenantCommand.Onboard("o", TenantTest.spec("Acme"), TenantTest.newKey(1)),
                answers.getRef()));
    record().tell(new TenantRecord.Stop());
    assertInstanceOf(TenantReply.Onboarded.class, answers.receiveMessage());
    answers.expectTerminated(record());
  }

  @Test
  void whatItsTenantWroteIsInTheJournalOnlySealed() {
    onboard();
    SealedEvent event = assertInstanceOf(SealedEvent.class, inJournal().getFirst());
    TenantEvent.Onboarded blank = assertInstanceOf(TenantEvent.Onboarded.class, event.event());
    assertNull(blank.spec().displayName());
    assertEquals("", blank.key().secretSha256());
    TenantEvent opened = new TenantSealing(kit.system()).open(event, keys.find(id));
    assertEquals(
        "Acme", assertInstanceOf(TenantEvent.Onboarded.class, opened).spec().displayName());
    ask(new TenantCommand.Suspend("s"));
    assertInstanceOf(TenantEvent.Suspended.class, inJournal().getLast());
  }

  @Test
  void withoutItsKeyARecordIsReadAndHasNoWords() {
    parent.receiveMessage();
    onboard();
    for (int i = 1; i <= 60; i++) {
      ask(new TenantCommand.PutPrompt("p" + i, "greeting", "Hello " + i, null));
    }
    kit.stop(record());
    keys.destroy(id);
    TestProbe<Notice> next = kit.createTestProbe(Notice.class);
    started = kit.spawn(TenantRecord.create(id, next.getRef(), setting()));
    TenantProfile read =
        assertInstanceOf(TenantRecord.ProfileChanged.class, next.receiveMessage()).profile();
    assertEquals(61, read.version());
    assertNull(read.displayName());
    assertFalse(read.prompts().toString().contains("Hello"), read.toString());
  }

  private List<Object> inJournal() {
    return PersistenceQuery.get(kit.system())
        .getReadJournalFor(CurrentEventsByPersistenceIdQuery.class, journal.readJournal())
        .currentEventsByPersistenceId("tenant|" + id, 0, Long.MAX_VALUE)
        .map(EventEnvelope::event)
        .runWith(Sink.seq(), kit.system())
        .toCompletableFuture()
        .join();
  }

  private ActorRef<Command> record() {
    return Objects.requireNonNull(started);
  }

  private ActorRef<Command> spawn() {
    return kit.spawn(TenantRecord.create(id, parent.getRef(), setting()));
  }

  private TenantRecord.Setting setting() {
    return new TenantRecord.Setting(
        fence,
        JournalProbe.of(kit.system(), journal.readJournal()),
        keys,
        new TenantSealing(kit.system()),
        Duration.ofMinutes(1),
        "standard",
        InstantSource.fixed(Instant.parse("2026-03-01T10:00:00Z")));
  }

  private void onboard() {
    TenantReply reply =
        ask(new TenantCommand.Onboard("o", TenantTest.spec("Acme"), TenantTest.newKey(1)));
    assertTrue(assertInstanceOf(TenantReply.Onboarded.class, reply).created());
  }

  private TenantReply ask(TenantCommand command) {
    record().tell(new Execute(command, answers.getRef()));
    return answers.receiveMessage();
  }

  private TenantProfile profile() {
    return assertInstanceOf(TenantReply.ProfileIs.class, ask(new TenantCommand.GetProfile()))
        .profile();
  }

  private TenantProfile changed() {
    Notice notice = parent.receiveMessage();
    if (notice instanceof TenantRecord.Keyed) {
      notice = parent.receiveMessage();
    }
    return assertInstanceOf(TenantRecord.ProfileChanged.class, notice).profile();
  }

  private static void assertRefused(Reason reason, TenantReply reply) {
    assertEquals(reason, assertInstanceOf(TenantReply.Refused.class, reply).reason());
  }
}
