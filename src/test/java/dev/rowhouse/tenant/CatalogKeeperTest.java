package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.SharedKit;
import dev.rowhouse.tenant.CatalogKeeper.Command;
import dev.rowhouse.tenant.CatalogKeeper.Reason;
import dev.rowhouse.tenant.CatalogKeeper.Reply;
import java.time.Duration;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;
import org.apache.pekko.persistence.testkit.query.javadsl.PersistenceTestKitReadJournal;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CatalogKeeperTest {
  private static final Config CONFIG =
      EventSourcedBehaviorTestKit.config()
          .withFallback(PersistenceTestKitPlugin.getInstance().config())
          .withFallback(ConfigFactory.parseResources("serialization.conf"));
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  @RegisterExtension static final SharedKit kit = new SharedKit(() -> ActorTestKit.create(CONFIG));
  private static final HouseCatalog HOUSE =
      HouseCatalog.of(
          ConfigFactory.parseResources("tenant.conf")
              .withFallback(ConfigFactory.parseResources("plans.conf"))
              .withFallback(ConfigFactory.parseResources("models.conf")));

  private final FakeFence fence = new FakeFence();
  private final TestProbe<Reply> answers = kit.createTestProbe(Reply.class);
  private ActorRef<Command> keeper = kit.system().deadLetters();

  @BeforeEach
  void start() {
    PersistenceTestKit.create(kit.system()).clearAll();
    keeper = spawn();
  }

  @Test
  void startsWithWhatConfDefines() {
    Catalog catalog = catalog();
    assertEquals(HOUSE.plans(), catalog.plans());
    assertEquals(java.util.Set.of("free", "standard", "premium"), catalog.plans().keySet());
    ModelSpec extractive = catalog.models().get("rowhouse-extractive");
    assertTrue(extractive != null && extractive.slots() == 8);
  }

  @Test
  void putsAnotherOverConfAndBringsConfBack() {
    Plan plan = new Plan("free", 2, HOUSE.planOf("free", Catalog.EMPTY).limits(), 1000);
    assertEquals(plan, done(new CatalogKeeper.PutPlan("1", plan)).plan("free"));
    assertEquals(
        HOUSE.plans().get("free"), done(new CatalogKeeper.DeletePlan("2", "free")).plan("free"));
  }

  @Test
  void deletesNoPlanOrModelOfConf() {
    CatalogKeeper.Refused plan = refused(new CatalogKeeper.DeletePlan("1", "standard"));
    assertEquals(Reason.DEFINED_IN_CONF, plan.reason());
    assertTrue(plan.message().contains("conf/plans.conf"), plan.message());
    CatalogKeeper.Refused model =
        refused(new CatalogKeeper.DeleteModel("2", "rowhouse-extractive"));
    assertEquals(Reason.DEFINED_IN_CONF, model.reason());
    assertEquals(Reason.NOT_FOUND, refused(new CatalogKeeper.DeleteModel("3", "none")).reason());
  }

  @Test
  void aChangeThatComesTwiceIsMadeOnce() {
    CatalogKeeper.Change put = new CatalogKeeper.PutModel("1", model("m", 3));
    long version = done(put).version();
    done(new CatalogKeeper.DeleteModel("2", "m"));
    Catalog again = done(put);
    assertNull(again.model("m"));
    assertEquals(version + 1, again.version());
    assertNull(done(new CatalogKeeper.DeleteModel("2", "m")).model("m"));
  }

  @Test
  void isThereAgainAfterAStop() {
    Catalog before = done(new CatalogKeeper.PutModel("1", model("m", 3)));
    kit.stop(keeper);
    keeper = spawn();
    assertEquals(before, catalog());
  }

  @Test
  void tellsItsSubscribersNowAndAfterEachChange() {
    TestProbe<Catalog> node = kit.createTestProbe(Catalog.class);
    keeper.tell(new CatalogKeeper.Subscribe(node.getRef()));
    keeper.tell(new CatalogKeeper.Subscribe(node.getRef()));
    assertEquals(0, node.receiveMessage(PATIENCE).version());
    assertEquals(0, node.receiveMessage(PATIENCE).version());
    done(new CatalogKeeper.PutModel("1", model("m", 3)));
    assertEquals(1, node.receiveMessage(PATIENCE).version());
    node.expectNoMessage(Duration.ofMillis(100));
  }

  @Test
  void refusesWhileTheFenceIsAwayAndStopsWhenItWasPassedOver() {
    fence.isAway = true;
    assertEquals(
        Reason.JOURNAL_UNAVAILABLE,
        refused(new CatalogKeeper.PutModel("1", model("m", 3))).reason());
    fence.isAway = false;
    done(new CatalogKeeper.PutModel("2", model("m", 3)));
    fence.claim("catalog");
    assertEquals(
        Reason.CATALOG_MOVED, refused(new CatalogKeeper.PutModel("3", model("m", 4))).reason());
    answers.expectTerminated(keeper);
  }

  @Test
  void aTenantWhosePlanIsGoneHasTheDefaultPlan() {
    assertEquals("standard", HOUSE.planOf("gone", catalog()).name());
    assertEquals("free", HOUSE.planOf("free", catalog()).name());
  }

  @Test
  void aReplicaFollowsTheKeeper() {
    CatalogReplica replica = new CatalogReplica(HOUSE.catalog());
    ActorRef<CatalogReplica.Command> copying =
        kit.spawn(replica.behavior(keeper, Duration.ofMillis(50)));
    TestProbe<Catalog> watcher = kit.createTestProbe(Catalog.class);
    copying.tell(new CatalogReplica.Watch(watcher.getRef()));
    assertEquals(HOUSE.plans(), watcher.receiveMessage(PATIENCE).plans());
    done(new CatalogKeeper.PutModel("1", model("m", 3)));
    assertEquals(model("m", 3), watcher.receiveMessage(PATIENCE).model("m"));
    assertEquals(model("m", 3), replica.current().model("m"));
  }

  /** As when the operator plane, which made the change, hears of it before this actor. */
  @Test
  void aReplicaTellsItsWatchersOfWhatItTookPastItsActor() {
    CatalogReplica replica = new CatalogReplica(HOUSE.catalog());
    TestProbe<Command> keeperProbe = kit.createTestProbe();
    ActorRef<CatalogReplica.Command> copying =
        kit.spawn(replica.behavior(keeperProbe.getRef(), Duration.ofHours(1)));
    TestProbe<Catalog> watcher = kit.createTestProbe(Catalog.class);
    copying.tell(new CatalogReplica.Watch(watcher.getRef()));
    watcher.receiveMessage(PATIENCE);
    Catalog changed = done(new CatalogKeeper.PutModel("1", model("m", 3)));
    replica.accept(changed);
    keeperProbe.expectMessageClass(CatalogKeeper.Subscribe.class).subscriber().tell(changed);
    assertEquals(changed, watcher.receiveMessage(PATIENCE));
  }

  @Test
  void aReplicaTakesNoOlderCatalog() {
    CatalogReplica replica = new CatalogReplica(new Catalog(5, java.util.Map.of(), HOUSE.plans()));
    TestProbe<Catalog> watcher = kit.createTestProbe(Catalog.class);
    ActorRef<CatalogReplica.Command> copying =
        kit.spawn(replica.behavior(keeper, Duration.ofMillis(20)));
    copying.tell(new CatalogReplica.Watch(watcher.getRef()));
    watcher.receiveMessage(PATIENCE);
    watcher.expectNoMessage(Duration.ofMillis(200));
    assertEquals(5, replica.current().version());
  }

  @Nested
  class OfReservations {
    private final TenantId acme = new TenantId("acme");
    private final TenantId globex = new TenantId("globex");

    @Test
    void refusesWhatDoesNotFitWithTheSums() {
      done(reserve("1", acme, slots(4)));
      CatalogKeeper.Refused refused = refused(reserve("2", globex, slots(3)));
      assertEquals(Reason.DOES_NOT_FIT, refused.reason());
      assertEquals(
          "does not fit in the pool of the model rowhouse-extractive: asked 3 slots (37.5 %),"
              + " already reserved by others 4 slots (50 %), capacity 8 slots, at most 6.4 slots"
              + " (80 %) in all",
          refused.message());
      done(reserve("3", globex, slots(2)));
    }

    @Test
    void ofTwoAtOnceForTheLastSlotsOneIsRefused() {
      TestProbe<Reply> both = kit.createTestProbe(Reply.class);
      keeper.tell(new CatalogKeeper.Execute(reserve("1", acme, share(0.5)), both.getRef()));
      keeper.tell(new CatalogKeeper.Execute(reserve("2", globex, share(0.5)), both.getRef()));
      assertInstanceOf(CatalogKeeper.Done.class, both.receiveMessage(PATIENCE));
      assertInstanceOf(CatalogKeeper.Refused.class, both.receiveMessage(PATIENCE));
    }

    @Test
    void knowsThemAgainAfterAStop() {
      done(reserve("1", acme, share(0.5)));
      kit.stop(keeper);
      keeper = spawn();
      assertEquals(Reason.DOES_NOT_FIT, refused(reserve("2", globex, share(0.5))).reason());
    }

    @Test
    void whatIsReleasedIsFree() {
      done(reserve("1", acme, share(0.8)));
      done(new CatalogKeeper.Align("2", acme, null, 3));
      done(reserve("3", globex, share(0.8)));
    }

    @Test
    void theNewestWordOfTheRecordCounts() {
      done(reserve("1", acme, share(0.2)));
      done(reserve("2", acme, share(0.6)));
      done(new CatalogKeeper.Align("3", acme, share(0.2), 8));
      done(new CatalogKeeper.Align("4", acme, share(0.6), 7));
      done(reserve("5", globex, share(0.6)));
    }

    @Test
    void theSameAgainAndLessIsAskedOfNobody() {
      done(reserve("1", acme, slots(6)));
      done(new CatalogKeeper.PutModel("2", narrowExtractive()));
      done(reserve("3", acme, slots(6)));
      done(reserve("4", acme, slots(5)));
      refused(reserve("5", acme, slots(7)));
    }

    @Test
    void tellsNoReplicaOfThem() {
      TestProbe<Catalog> node = kit.createTestProbe(Catalog.class);
      keeper.tell(new CatalogKeeper.Subscribe(node.getRef()));
      node.receiveMessage(PATIENCE);
      done(reserve("1", acme, slots(1)));
      node.expectNoMessage(Duration.ofMillis(100));
    }

    private CatalogKeeper.Change reserve(String id, TenantId tenant, ReservationClaim claim) {
      return new CatalogKeeper.Reserve(id, tenant, claim, 1);
    }

    private ReservationClaim slots(int slots) {
      return new ReservationClaim(slots, 0, java.util.List.of(), 0);
    }

    private ReservationClaim share(double share) {
      return new ReservationClaim(0, share, java.util.List.of(), 0);
    }

    private ModelSpec narrowExtractive() {
      return new ModelSpec(
          "rowhouse-extractive", "embedded", null, null, null, 1, null, 0, 0, 1, 2, null, null);
    }
  }

  private ActorRef<Command> spawn() {
    return kit.spawn(
        CatalogKeeper.create(
            HOUSE,
            fence,
            JournalProbe.of(kit.system(), PersistenceTestKitReadJournal.Identifier()),
            PATIENCE));
  }

  private Catalog catalog() {
    TestProbe<Catalog> probe = kit.createTestProbe(Catalog.class);
    keeper.tell(new CatalogKeeper.Get(probe.getRef()));
    return probe.receiveMessage(PATIENCE);
  }

  private Catalog done(CatalogKeeper.Change change) {
    return assertInstanceOf(CatalogKeeper.Done.class, ask(change)).catalog();
  }

  private CatalogKeeper.Refused refused(CatalogKeeper.Change change) {
    return assertInstanceOf(CatalogKeeper.Refused.class, ask(change));
  }

  private Reply ask(CatalogKeeper.Change change) {
    keeper.tell(new CatalogKeeper.Execute(change, answers.getRef()));
    return answers.receiveMessage(PATIENCE);
  }

  private static ModelSpec model(String name, int slots) {
    ModelSpec model =
        new ModelSpec(
            name,
            ModelSpec.OPENAI,
            "http://127.0.0.1:9/v1",
            "up",
            "env:KEY",
            slots,
            null,
            1,
            2,
            1,
            2,
            "eu",
            new TenantId("acme"));
    assertFalse(model.existsFor(new TenantId("globex")));
    return model;
  }
}
