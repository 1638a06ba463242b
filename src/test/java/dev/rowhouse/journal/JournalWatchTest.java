package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class JournalWatchTest {
  private final AtomicLong now = new AtomicLong();

  private JournalWatch watch(JournalWatch.Write write) {
    return new JournalWatch(write, Duration.ofMillis(700), now::get);
  }

  @Test
  void believesTheJournalUntilAWriteFailsAndAgainWhenOneSucceeds() {
    boolean[] fails = {false};
    try (JournalWatch watch =
        watch(
            () -> {
              if (fails[0]) {
                throw new SQLException("no space left on device");
              }
            })) {
      assertTrue(watch.isAvailable());
      watch.probe();
      assertTrue(watch.isAvailable());
      fails[0] = true;
      watch.probe();
      assertFalse(watch.isAvailable());
      fails[0] = false;
      watch.probe();
      assertTrue(watch.isAvailable());
    }
  }

  @Test
  void isAwayWhileAWriteHasNoAnswerForTooLong() throws Exception {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch answered = new CountDownLatch(1);
    try (JournalWatch watch =
        watch(
            () -> {
              writing.countDown();
              try {
                answered.await();
              } catch (InterruptedException e) {
                throw new SQLException(e);
              }
            })) {
      Thread probe = Thread.ofVirtual().start(watch::probe);
      writing.await();
      now.addAndGet(700);
      assertTrue(watch.isAvailable());
      now.addAndGet(1);
      assertFalse(watch.isAvailable());
      answered.countDown();
      probe.join();
      assertTrue(watch.isAvailable());
    }
  }

  @Test
  void saysNothingOfATimeInWhichItWasNotRun() {
    try (JournalWatch watch = watch(() -> {})) {
      watch.probe();
      now.addAndGet(60_000);
      assertTrue(watch.isAvailable());
    }
  }
}
