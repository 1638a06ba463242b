package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.JournalFiles;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** What is in journals stays readable, whatever this version would write. */
final class JournalFormatTest {
  private static final JournalFiles FILES = JournalFiles.open();

  @AfterAll
  static void stop() {
    FILES.close();
  }

  @Test
  void readsTheEventsOfTheFirstVersion() throws IOException {
    assertEquals(JournalFixture.opened(), FILES.kept("journal-v1/segment-opened"));
    assertEquals(JournalFixture.recorded(), FILES.kept("journal-v1/recorded"));
  }

  @Test
  void readsTheChainedEventsOfTheThirdVersion() throws IOException {
    assertEquals(JournalFixture.chainedOpening(), FILES.kept("journal-v3/segment-opened"));
    LedgerEvent.Recorded kept =
        assertInstanceOf(LedgerEvent.Recorded.class, FILES.kept("journal-v3/recorded"));
    assertEquals(JournalFixture.chainedCommit(), kept);
    assertEquals(JournalFixture.recorded().records(), kept.records());
    assertEquals(JournalFixture.recorded().started(), kept.started());
  }

  @Test
  void theChainOfTheThirdVersionNeverChanges() {
    LedgerChain chain = new LedgerChain(House.ACME);
    chain.next(3, 1, JournalFixture.chainedOpening());
    chain.next(3, 2, JournalFixture.chainedCommit());
    LedgerChain.Report report = chain.end();
    assertEquals(List.of(), report.faults());
    assertEquals(
        List.of(
            new ChainHead(
                "usage|acme|3",
                2,
                "5c25ec589df86f4174e2f38ea25ba9417481ab28d2ba596e484b18c29608f205")),
        report.heads());
  }

  @Test
  void readsTheSnapshotOfTheThirdVersion() throws IOException {
    assertSame(JournalFixture.chainedState(), "journal-v3/snapshot");
  }

  /** It lacks what each key used, so the ledger is read from its events instead. */
  @Test
  void usesNoSnapshotOfTheFirstVersion() throws IOException {
    LedgerSnapshot kept = assertInstanceOf(LedgerSnapshot.class, FILES.kept("journal-v1/snapshot"));
    assertNull(LedgerState.restore(JournalFixture.RULES, ZoneOffset.UTC, kept));
  }

  private static void assertSame(LedgerState state, String name) throws IOException {
    LedgerSnapshot kept = assertInstanceOf(LedgerSnapshot.class, FILES.kept(name));
    LedgerState restored = LedgerState.restore(JournalFixture.RULES, ZoneOffset.UTC, kept);
    assertNotNull(restored);
    Instant time = Sample.NOON;
    assertEquals(state.totals(), restored.totals());
    assertEquals(state.read(), restored.read());
    assertEquals(state.openStarts(), restored.openStarts());
    assertEquals(state.month(time), restored.month(time));
    assertEquals(state.lastMinute(time), restored.lastMinute(time));
    assertEquals(Set.of("k7"), restored.keys(time).keySet());
    assertEquals(state.keys(time), restored.keys(time));
    for (Bucket bucket : Bucket.values()) {
      assertEquals(
          state.rows(bucket, time, time.plusSeconds(1), GroupBy.KEY),
          restored.rows(bucket, time, time.plusSeconds(1), GroupBy.KEY));
    }
    assertArrayEquals(state.snapshot(time).attempts, restored.snapshot(time).attempts);
  }

  @Test
  void writesWhatItReads() {
    JournalFixture.all()
        .forEach(
            (name, value) -> {
              Object again = FILES.value(FILES.text(value));
              assertEquals(FILES.text(value), FILES.text(again), name);
            });
  }

  @Test
  void aRecordIsSmall() {
    List<UsageRecord> records = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      records.add(Sample.record(Sample.NOON));
    }
    String bytes = FILES.text(new LedgerEvent.Recorded(records, List.of())).lines().toList().get(2);
    assertTrue(Base64.getDecoder().decode(bytes).length / 400 <= 50);
  }
}
