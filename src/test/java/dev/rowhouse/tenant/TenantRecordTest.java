package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.SharedKit;
import dev.rowhouse.tenant.TenantRecord.Command;
import dev.rowhouse.tenant.TenantRecord.Execute;
import dev.rowhouse.tenant.TenantRecord.Notice;
import dev.rowhouse.tenant.TenantReply.Reason;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;
import org.apache.pekko.persistence.testkit.query.javadsl.PersistenceTestKitReadJournal;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TenantRecordTest {
  private static final Config CONFIG =
      EventSourcedBehaviorTestKit.config()
          .withFallback(
              org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin.getInstance().config())
          .withFallback(ConfigFactory.parseResources("serialization.conf"));

  @RegisterExtension static final SharedKit kit = new SharedKit(() -> ActorTestKit.create(CONFIG));
  private static final DataKeys KEYS = KeysFixture.keys();
  private static int tenants;

  private final FakeFence fence = new FakeFence();
  private final TestProbe<Notice> parent = kit.createTestProbe(Notice.class);
  private final TestProbe<TenantReply> answers = kit.createTestProbe(TenantReply.class);
  private TenantId id = new TenantId("none");
  private ActorRef<Command> record = kit.system().deadLetters();

  @BeforeEach
  void start() {
    id = new TenantId("acme-" + ++tenants);
    record = spawn();
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
    kit.stop(record);
    TestProbe<Notice> next = kit.createTestProbe(Notice.class);
    record = kit.spawn(TenantRecord.create(id, next.getRef(), setting()));
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
    record.tell(new Execute(new TenantCommand.Suspend("s"), answers.getRef()));
    record.tell(new Execute(new TenantCommand.Suspend("t"), answers.getRef()));
    fence.gate.complete(null);
    assertRefused(Reason.RECORD_MOVED, answers.receiveMessage());
    assertRefused(Reason.RECORD_MOVED, answers.receiveMessage());
    answers.expectTerminated(record);
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
    record.tell(
        new Execute(
            new TenantCommand.Onboard("o", TenantTest.spec("Acme"), TenantTest.newKey(1)),
            answers.getRef()));
    record.tell(new TenantRecord.Stop());
    assertInstanceOf(TenantReply.Onboarded.class, answers.receiveMessage());
    answers.expectTerminated(record);
  }

  @Test
  void whatItsTenantWroteIsInTheJournalOnlySealed() {
    onboard();
    PersistenceTestKit journal = PersistenceTestKit.create(kit.system());
    SealedEvent event = journal.expectNextPersistedClass("tenant|" + id, SealedEvent.class);
    TenantEvent.Onboarded blank = assertInstanceOf(TenantEvent.Onboarded.class, event.event());
    assertNull(blank.spec().displayName());
    assertEquals("", blank.key().secretSha256());
    TenantEvent opened = new TenantSealing(kit.system()).open(event, KEYS.find(id));
    assertEquals(
        "Acme", assertInstanceOf(TenantEvent.Onboarded.class, opened).spec().displayName());
    ask(new TenantCommand.Suspend("s"));
    journal.expectNextPersistedClass("tenant|" + id, TenantEvent.Suspended.class);
  }

  @Test
  void withoutItsKeyARecordIsReadAndHasNoWords() {
    parent.receiveMessage();
    onboard();
    for (int i = 1; i <= 60; i++) {
      ask(new TenantCommand.PutPrompt("p" + i, "greeting", "Hello " + i, null));
    }
    kit.stop(record);
    KEYS.destroy(id);
    TestProbe<Notice> next = kit.createTestProbe(Notice.class);
    record = kit.spawn(TenantRecord.create(id, next.getRef(), setting()));
    TenantProfile read =
        assertInstanceOf(TenantRecord.ProfileChanged.class, next.receiveMessage()).profile();
    assertEquals(61, read.version());
    assertNull(read.displayName());
    assertFalse(read.prompts().toString().contains("Hello"), read.toString());
  }

  private ActorRef<Command> spawn() {
    return kit.spawn(TenantRecord.create(id, parent.getRef(), setting()));
  }

  private TenantRecord.Setting setting() {
    return new TenantRecord.Setting(
        fence,
        JournalProbe.of(kit.system(), PersistenceTestKitReadJournal.Identifier()),
        KEYS,
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
    record.tell(new Execute(command, answers.getRef()));
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
