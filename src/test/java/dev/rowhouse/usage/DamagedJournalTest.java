package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.tenant.TenantId;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows of the journal that somebody or something has changed below us. */
final class DamagedJournalTest {
  private static final int COMMITS = 4;

  @TempDir private Path directory = Path.of("");

  @BeforeEach
  void writeASegment() {
    try (House house = House.open(directory)) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      for (int i = 0; i < COMMITS; i++) {
        assertInstanceOf(
            LedgerReply.Appended.class, house.append(ledger, Sample.record(Sample.NOON)));
      }
    }
  }

  private static void damage(House house) {
    house.sql(
        """
        update "event_journal"
        set "event_payload" =
          substring("event_payload" from 1 for 39) || x'ff'
          || substring("event_payload" from 41)
        where "persistence_id" = 'usage|acme|1' and "sequence_number" = 3
        """);
    house.sql("delete from \"snapshot\"");
  }

  private static LedgerChain.Report verify(House house, List<ChainHead> anchors) {
    return LedgerVerifier.verify(
            house.kit.system(),
            House.ACME,
            house.fence.numbers(LedgerVerifier.fenceName(House.ACME)),
            anchors,
            house.settings.readJournal())
        .toCompletableFuture()
        .join();
  }

  @Test
  void aDamagedRowIsNamedWithWhatToDo() {
    try (House house = House.open(directory)) {
      damage(house);
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      LedgerReply.Sums refused = house.ask(ledger, UsageLedger.GetTotals::new);
      String reason = assertInstanceOf(LedgerReply.Away.class, refused).reason();
      for (String part :
          List.of("tenant acme", "usage|acme|1", "sequence number 3", "restore the rows")) {
        assertTrue(reason.contains(part), reason);
      }
      assertInstanceOf(
          LedgerReply.AppendFailed.class, house.append(ledger, Sample.record(Sample.NOON)));
      assertFalse(house.status(ledger).loaded());
    }
  }

  @Test
  void anotherTenantIsNotConcerned() {
    try (House house = House.open(directory)) {
      damage(house);
      house.ledger();
      ActorRef<UsageLedger.Command> other =
          house.ledger(new TenantId("other"), ZoneOffset.UTC).ledger();
      assertInstanceOf(LedgerReply.Appended.class, house.append(other, Sample.record(Sample.NOON)));
      assertEquals(1, house.totals(other).requests());
    }
  }

  @Test
  void isServedAgainWhenTheRowIsRestored() {
    try (House house = House.open(directory)) {
      house.sql("create table kept as select * from \"event_journal\"");
      damage(house);
      House.Opening opening = house.ledger();
      ActorRef<UsageLedger.Command> ledger = opening.ledger();
      assertInstanceOf(
          LedgerReply.Away.class, house.<LedgerReply.Sums>ask(ledger, UsageLedger.GetTotals::new));
      house.sql(
          """
          update "event_journal" set "event_payload" =
            (select "event_payload" from kept
              where kept."ordering" = "event_journal"."ordering")
          """);
      LedgerReply.Opened opened = opening.opened();
      assertEquals(COMMITS, opened.totals().requests());
    }
  }

  @Test
  void theChainIsIntactAsTheLedgerWroteIt() {
    try (House house = House.open(directory)) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      house.append(ledger, Sample.record(Sample.NOON));
      LedgerChain.Report report = verify(house, List.of());
      assertEquals(List.of(), report.faults());
      assertEquals(2, report.segments());
      assertEquals(0, report.notChained());
      assertEquals(COMMITS + 1 + 2, report.events());
    }
  }

  @Test
  void theVerifierTellsADamagedRowADeletedOneAndACut() {
    try (House house = House.open(directory)) {
      List<ChainHead> heads = verify(house, List.of()).heads();
      damage(house);
      assertEquals(List.of("UNREADABLE 3"), faults(verify(house, heads)));
      house.sql("delete from \"event_journal\" where \"sequence_number\" = 3");
      assertEquals(List.of("MISSING 3"), faults(verify(house, heads)));
      house.sql("delete from \"event_journal\" where \"sequence_number\" >= 3");
      assertEquals(List.of("CUT 3"), faults(verify(house, heads)));
      assertEquals(List.of(), faults(verify(house, List.of())));
    }
  }

  private static List<String> faults(LedgerChain.Report report) {
    Stream<String> faults =
        report.faults().stream().map(fault -> fault.kind() + " " + fault.sequence());
    return faults.toList();
  }
}
