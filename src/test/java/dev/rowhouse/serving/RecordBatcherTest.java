package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.usage.StartedEntry;
import dev.rowhouse.usage.UsageRecord;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecordBatcherTest {
  private static final int BATCH_MAX = 3;
  private static final long LINGER = 10;
  private static final long STARTED_LINGER = 100;

  private final RecordBatcher batcher = new RecordBatcher(BATCH_MAX, LINGER, STARTED_LINGER);

  @Test
  void hasNothingToWriteAtFirst() {
    assertNull(batcher.next(0));
    assertEquals(Long.MAX_VALUE, batcher.millisUntilDue(0));
    assertTrue(batcher.isEmpty());
  }

  @Test
  void writesALoneRecordAtOnce() {
    batcher.ended(record());
    assertEquals(0, batcher.millisUntilDue(1_000));
    assertEquals(1, taken(batcher.next(1_000)).records().size());
  }

  @Test
  void gathersWhatComesSoonAfterTheLastBatch() {
    batcher.ended(record());
    batcher.acknowledged(taken(batcher.next(1_000)).number());
    batcher.ended(record());
    batcher.ended(record());
    assertEquals(1, batcher.millisUntilDue(1_009));
    assertNull(batcher.next(1_009));
    assertEquals(2, taken(batcher.next(1_010)).records().size());
  }

  @Test
  void doesNotLingerWhenABatchIsFull() {
    for (int i = 0; i < BATCH_MAX; i++) {
      batcher.ended(record());
    }
    assertEquals(0, batcher.millisUntilDue(1_000));
    assertEquals(BATCH_MAX, taken(batcher.next(1_000)).records().size());
  }

  @Test
  void hasOneBatchOnItsWayAndGathersTheNext() {
    batcher.ended(record());
    RecordBatcher.Batch first = taken(batcher.next(LINGER));
    String later = Samples.attempt();
    batcher.ended(record(later));
    assertNull(batcher.next(10 * LINGER));
    assertSame(first, batcher.acknowledged(first.number()));
    RecordBatcher.Batch second = taken(batcher.next(10 * LINGER));
    assertEquals(later, second.records().getFirst().attempt());
    assertTrue(second.number() > first.number());
  }

  @Test
  void sendsAFailedBatchAgainAsItWas() {
    batcher.ended(record());
    RecordBatcher.Batch batch = taken(batcher.next(LINGER));
    batcher.ended(record());
    assertSame(batch, batcher.again());
    assertSame(batch, batcher.again());
    assertEquals(1, batch.records().size());
  }

  @Test
  void knowsAnAcknowledgementThatComesTwiceOrOfAnotherBatch() {
    batcher.ended(record());
    RecordBatcher.Batch batch = taken(batcher.next(LINGER));
    assertNull(batcher.acknowledged(batch.number() + 1));
    assertNotNull(batcher.acknowledged(batch.number()));
    assertNull(batcher.acknowledged(batch.number()));
    assertNull(batcher.again());
  }

  @Test
  void takesNoMoreThanABatchHolds() {
    for (int i = 0; i < 2 * BATCH_MAX + 1; i++) {
      batcher.ended(record());
    }
    int written = 0;
    for (int i = 0; i < 3; i++) {
      RecordBatcher.Batch batch = taken(batcher.next(1_000 + i * LINGER));
      assertTrue(batch.records().size() <= BATCH_MAX);
      written += batch.records().size();
      batcher.acknowledged(batch.number());
    }
    assertEquals(2 * BATCH_MAX + 1, written);
    assertTrue(batcher.isEmpty());
  }

  @Test
  void leavesOutTheStartOfAShortRequest() {
    String attempt = Samples.attempt();
    batcher.started(start(attempt), 0);
    batcher.ended(record(attempt));
    RecordBatcher.Batch batch = taken(batcher.next(STARTED_LINGER + LINGER));
    assertEquals(List.of(), batch.started());
    assertEquals(1, batch.records().size());
  }

  @Test
  void writesTheStartOfALongRequestOnce() {
    String attempt = Samples.attempt();
    batcher.started(start(attempt), 0);
    batcher.started(start(attempt), 50);
    assertNull(batcher.next(STARTED_LINGER - 1));
    RecordBatcher.Batch batch = taken(batcher.next(STARTED_LINGER));
    assertEquals(attempt, batch.started().getFirst().attempt());
    assertEquals(1, batch.started().size());
    batcher.acknowledged(batch.number());
    assertEquals(Long.MAX_VALUE, batcher.millisUntilDue(STARTED_LINGER));
  }

  @Test
  void leavesAStartThatIsNotDueOutOfABatchOfRecords() {
    batcher.started(start(Samples.attempt()), 0);
    batcher.ended(record());
    assertEquals(List.of(), taken(batcher.next(LINGER)).started());
  }

  @Test
  void forgetsTheStartOfARequestThatWasWithdrawn() {
    String attempt = Samples.attempt();
    batcher.started(start(attempt), 0);
    batcher.withdrawn(attempt);
    assertEquals(Long.MAX_VALUE, batcher.millisUntilDue(STARTED_LINGER));
  }

  @Test
  void holdsARecordUntilItIsDurable() {
    String attempt = Samples.attempt();
    batcher.ended(record(attempt));
    assertTrue(batcher.holds(attempt));
    RecordBatcher.Batch batch = taken(batcher.next(LINGER));
    assertTrue(batcher.holds(attempt));
    assertEquals(1, batcher.size());
    batcher.acknowledged(batch.number());
    assertFalse(batcher.holds(attempt));
    assertEquals(0, batcher.size());
  }

  private static RecordBatcher.Batch taken(
      RecordBatcher.@org.jspecify.annotations.Nullable Batch batch) {
    assertNotNull(batch);
    return batch;
  }

  private static StartedEntry start(String attempt) {
    return new StartedEntry(attempt, 0, "k1", "small", 30);
  }

  private static UsageRecord record() {
    return record(Samples.attempt());
  }

  private static UsageRecord record(String attempt) {
    return new UsageRecord(
        attempt,
        0,
        "k1",
        "small",
        "small",
        1,
        2,
        UsageRecord.Status.COMPLETED,
        200,
        null,
        false,
        false,
        5,
        -1,
        0,
        UsageRecord.MISS,
        null,
        3,
        0);
  }
}
