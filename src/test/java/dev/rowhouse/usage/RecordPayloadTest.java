package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.journal.JournalException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RecordPayloadTest {
  private static final int ROUNDS = 200;

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void readsWhatItWrote(int seed) {
    Random random = new Random(seed);
    for (int round = 0; round < ROUNDS; round++) {
      RecordPayload.Content content = content(random, random.nextInt(40), random.nextInt(10));
      byte[] payload = RecordPayload.encode(content);
      assertEquals(content, RecordPayload.decode(payload));
      assertArrayEquals(payload, RecordPayload.encode(RecordPayload.decode(payload)));
    }
  }

  @Test
  void readsTheExtremes() {
    for (long number : List.of(0L, 1L, 127L, 128L, Long.MAX_VALUE)) {
      UsageRecord record =
          new UsageRecord(
              JournalFixture.ATTEMPT_1,
              -number,
              "",
              "k",
              "",
              number,
              number,
              UsageRecord.Status.UNKNOWN,
              Integer.MIN_VALUE,
              "",
              true,
              true,
              -number,
              number,
              Long.MIN_VALUE,
              "",
              "",
              number,
              Integer.MAX_VALUE);
      RecordPayload.Content content = new RecordPayload.Content(List.of(record), List.of());
      assertEquals(content, RecordPayload.decode(RecordPayload.encode(content)));
    }
  }

  @Test
  void takesFortyBytesARecordAndItsLabel() {
    List<UsageRecord> records = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      records.add(Sample.record(Sample.NOON));
    }
    byte[] payload = RecordPayload.encode(new RecordPayload.Content(records, List.of()));
    assertTrue(payload.length / 400 <= 40 + "label-1".length(), "bytes " + payload.length / 400);
  }

  @Test
  void refusesEveryTruncation() {
    byte[] payload = RecordPayload.encode(content(new Random(1), 5, 2));
    for (int length = 0; length < payload.length; length++) {
      byte[] cut = java.util.Arrays.copyOf(payload, length);
      assertThrows(JournalException.class, () -> RecordPayload.decode(cut));
    }
  }

  @Test
  void refusesEveryFlippedBit() {
    byte[] payload = RecordPayload.encode(content(new Random(2), 5, 2));
    for (int bit = 0; bit < payload.length * 8; bit++) {
      byte[] flipped = payload.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertThrows(JournalException.class, () -> RecordPayload.decode(flipped));
    }
  }

  /**
   * Even garbage with a right checksum is read or refused, and allocates no more than it is long.
   */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(ints = {1, 2, 3, 4})
  void refusesGarbageThatLooksWhole(int seed) {
    Random random = new Random(seed);
    int refused = 0;
    for (int round = 0; round < 20_000; round++) {
      byte[] payload = RecordPayload.encode(content(random, 2, 1));
      for (int change = random.nextInt(1, 4); change > 0; change--) {
        payload[random.nextInt(payload.length)] = (byte) random.nextInt();
      }
      sum(payload);
      try {
        RecordPayload.decode(payload);
      } catch (JournalException expected) {
        refused++;
      }
    }
    assertTrue(refused > 0);
  }

  @Test
  void refusesACountThatWouldNotFitInMemory() {
    PayloadWriter out = new PayloadWriter();
    out.octet(RecordPayload.FORM);
    out.number(0);
    out.number(Integer.MAX_VALUE);
    out.number(0);
    out.fixedInt(0);
    byte[] payload = out.toByteArray();
    sum(payload);
    JournalException refused =
        assertThrows(JournalException.class, () -> RecordPayload.decode(payload));
    assertTrue(String.valueOf(refused.getMessage()).contains("2147483647 entries"));
  }

  @Test
  void refusesAFormOfALaterVersion() {
    byte[] payload = RecordPayload.encode(content(new Random(3), 1, 0));
    payload[0] = RecordPayload.FORM + 1;
    sum(payload);
    JournalException refused =
        assertThrows(JournalException.class, () -> RecordPayload.decode(payload));
    assertTrue(String.valueOf(refused.getMessage()).contains("form 2 is not known"));
  }

  private static void sum(byte[] payload) {
    CRC32C checksum = new CRC32C();
    checksum.update(payload, 0, payload.length - Integer.BYTES);
    PayloadWriter out = new PayloadWriter();
    out.fixedInt((int) checksum.getValue());
    System.arraycopy(out.toByteArray(), 0, payload, payload.length - Integer.BYTES, Integer.BYTES);
  }

  private static RecordPayload.Content content(Random random, int records, int started) {
    List<UsageRecord> settled = new ArrayList<>();
    for (int i = 0; i < records; i++) {
      settled.add(record(random));
    }
    List<StartedEntry> starts = new ArrayList<>();
    for (int i = 0; i < started; i++) {
      starts.add(
          new StartedEntry(
              attempt(random), time(random), text(random), text(random), number(random)));
    }
    return new RecordPayload.Content(settled, starts);
  }

  private static UsageRecord record(Random random) {
    UsageRecord.Status[] statuses = UsageRecord.Status.values();
    return new UsageRecord(
        attempt(random),
        time(random),
        text(random),
        text(random),
        text(random),
        number(random),
        number(random),
        statuses[random.nextInt(statuses.length)],
        random.nextInt(),
        textOrNone(random),
        random.nextBoolean(),
        random.nextBoolean(),
        random.nextLong(),
        random.nextInt(3) - 1,
        number(random),
        text(random),
        textOrNone(random),
        number(random),
        (int) (number(random) & Integer.MAX_VALUE));
  }

  private static String attempt(Random random) {
    return AttemptId.mint(Instant.ofEpochMilli(random.nextLong(1L << 48)), random);
  }

  private static long time(Random random) {
    return random.nextBoolean() ? random.nextLong() : Sample.NOON.toEpochMilli();
  }

  private static long number(Random random) {
    return random.nextLong() >>> (1 + random.nextInt(63));
  }

  private static @Nullable String textOrNone(Random random) {
    return random.nextBoolean() ? null : text(random);
  }

  private static String text(Random random) {
    return random
        .ints(random.nextInt(20), 0x20, 0xd800)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
