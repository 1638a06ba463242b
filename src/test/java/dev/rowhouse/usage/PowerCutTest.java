package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.rowhouse.journal.ForgetfulFiles;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The journal on a disk that forgets, at a power cut, what was not forced onto it. */
final class PowerCutTest {
  private static final int BATCHES = 60;

  @TempDir private Path directory = Path.of("");

  @Test
  void losesNothingThatWasAcknowledged() {
    Set<String> acknowledged = writeUntilThePowerIsCut("forced:forgetful");
    assertEquals(acknowledged, found());
  }

  /** Without this, the test above would prove nothing. */
  @Test
  void losesItWhenWritesAreNotForced() {
    Set<String> acknowledged = writeUntilThePowerIsCut("forgetful");
    assertNotEquals(acknowledged, found());
  }

  private Set<String> writeUntilThePowerIsCut(String files) {
    ForgetfulFiles.register();
    Set<String> acknowledged = new HashSet<>();
    try (House house =
        House.open(directory, "rowhouse.journal.embedded-files = \"" + files + "\"")) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      for (int batch = 0; batch < BATCHES; batch++) {
        UsageRecord record = Sample.record(Sample.NOON);
        assertInstanceOf(LedgerReply.Appended.class, house.append(ledger, record));
        acknowledged.add(record.attempt());
      }
      ForgetfulFiles.cutThePower();
    }
    return acknowledged;
  }

  private Set<String> found() {
    try (House house = House.open(directory, "rowhouse.journal.embedded-files = \"file\"")) {
      Set<String> found = new HashSet<>();
      List<UsageRecord> records = house.records(house.ledger().ledger());
      records.forEach(record -> found.add(record.attempt()));
      assertEquals(records.size(), found.size());
      return found;
    }
  }
}
