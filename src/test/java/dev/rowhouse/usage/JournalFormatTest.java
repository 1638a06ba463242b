package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** What is in journals stays readable, whatever this version would write. */
final class JournalFormatTest {
  private static final ActorTestKit KIT =
      ActorTestKit.create("format", House.config(Path.of("target", "format"), ""));
  private static final Serialization SERIALIZATION = SerializationExtension.get(KIT.system());

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  private static Object kept(String name) throws IOException {
    try (@Nullable InputStream in =
        JournalFormatTest.class.getResourceAsStream("/journal-v1/" + name + ".txt")) {
      assertNotNull(in, name);
      return JournalFixture.value(
          SERIALIZATION, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  @Test
  void readsTheEventsOfTheFirstVersion() throws IOException {
    assertEquals(JournalFixture.opened(), kept("segment-opened"));
    assertEquals(JournalFixture.recorded(), kept("recorded"));
  }

  @Test
  void readsTheSnapshotOfTheFirstVersion() throws IOException {
    LedgerSnapshot kept = assertInstanceOf(LedgerSnapshot.class, kept("snapshot"));
    LedgerState restored = LedgerState.restore(JournalFixture.RULES, ZoneOffset.UTC, kept);
    assertNotNull(restored);
    LedgerState state = JournalFixture.state();
    Instant time = Sample.NOON;
    assertEquals(state.totals(), restored.totals());
    assertEquals(state.read(), restored.read());
    assertEquals(state.openStarts(), restored.openStarts());
    assertEquals(state.month(time), restored.month(time));
    assertEquals(state.lastMinute(time), restored.lastMinute(time));
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
              Object again =
                  JournalFixture.value(SERIALIZATION, JournalFixture.text(SERIALIZATION, value));
              assertEquals(
                  JournalFixture.text(SERIALIZATION, value),
                  JournalFixture.text(SERIALIZATION, again),
                  name);
            });
  }

  @Test
  void aRecordIsSmall() {
    List<UsageRecord> records = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      records.add(Sample.record(Sample.NOON));
    }
    String bytes =
        JournalFixture.text(SERIALIZATION, new LedgerEvent.Recorded(records, List.of()))
            .lines()
            .toList()
            .get(2);
    assertTrue(Base64.getDecoder().decode(bytes).length / 400 <= 160);
  }
}
