package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A ledger whose journal is gone for a while. */
final class LedgerAwayTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void comesBackByItselfWhenTheJournalWasAway() {
    try (House house = House.open(directory)) {
      House.Opening opening = house.ledger();
      opening.opened();
      house.append(opening.ledger(), UsageLedgerTest.some(2), List.of());
      house.sql("alter table \"event_journal\" rename to \"event_journal_away\"");
      List<UsageRecord> batch = UsageLedgerTest.some(5);
      assertInstanceOf(
          LedgerReply.AppendFailed.class, house.append(opening.ledger(), batch, List.of()));
      assertInstanceOf(
          LedgerReply.AppendFailed.class, house.append(opening.ledger(), batch, List.of()));
      assertInstanceOf(
          LedgerReply.Away.class, house.ask(opening.ledger(), UsageLedger.GetTotals::new));
      assertFalse(house.status(opening.ledger()).loaded());
      house.sql("alter table \"event_journal_away\" rename to \"event_journal\"");
      assertEquals(2, opening.opened().totals().requests());
      assertInstanceOf(
          LedgerReply.Appended.class, house.append(opening.ledger(), batch, List.of()));
      assertEquals(7, house.totals(opening.ledger()).requests());
      assertEquals(2, house.status(opening.ledger()).segment());
      assertNull(house.status(opening.ledger()).failure());
    }
  }
}
