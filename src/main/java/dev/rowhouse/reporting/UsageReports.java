package dev.rowhouse.reporting;

import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Answers what the operator asks of the query tables. A question that takes too long is ended, and
 * more than so many at a time are refused.
 */
public final class UsageReports {
  /** One bucket, or one group of it. */
  public record Row(Instant start, String first, String second, Sums sums) {
    public String id() {
      return new UsageQuestion.Cursor(start, first, second).toString();
    }
  }

  /**
   * A page.
   *
   * @param total the sums of the whole range; on the first page only
   * @param asOf what was written before that is in it
   * @param doubts tenants in it whose sums may count an attempt twice until they were read again
   */
  public record Answer(
      List<Row> rows, boolean hasMore, @Nullable Sums total, Instant asOf, int doubts) {
    public Answer {
      rows = List.copyOf(rows);
    }
  }

  /** Too many questions at a time. */
  public static final class Busy extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Busy(int max) {
      super("more than " + max + " questions at a time");
    }
  }

  /** More tenants than one question reads. */
  public static final class TooMany extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooMany(int max) {
      super("more than " + max + " tenants in that range: name one, or ask for less time");
    }
  }

  private final UsageStore store;
  private final Executor blocking;
  private final InstantSource clock;
  private final ReportingSettings settings;
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicBoolean measuring = new AtomicBoolean();
  private volatile double lagMillis = Double.NaN;

  UsageReports(
      UsageStore store, Executor blocking, InstantSource clock, ReportingSettings settings) {
    this.store = store;
    this.blocking = blocking;
    this.clock = clock;
    this.settings = settings;
  }

  public ReportingSettings settings() {
    return settings;
  }

  public CompletionStage<Answer> ask(UsageQuestion question) {
    if (running.incrementAndGet() > settings.queriesMax()) {
      running.decrementAndGet();
      return CompletableFuture.failedFuture(new Busy(settings.queriesMax()));
    }
    return CompletableFuture.supplyAsync(() -> store.answer(question, clock.millis()), blocking)
        .whenComplete((answer, failure) -> running.decrementAndGet());
  }

  /**
   * How far the tables were behind the journal when somebody last asked; the database is asked
   * anew, and nobody waits for it.
   */
  public double lagSeconds() {
    if (measuring.compareAndSet(false, true)) {
      long nowMillis = clock.millis();
      CompletionStage<Long> _ =
          CompletableFuture.supplyAsync(() -> nowMillis - store.asOfMillis(nowMillis), blocking)
              .whenComplete(
                  (millis, failure) -> {
                    lagMillis = millis == null ? Double.NaN : millis;
                    measuring.set(false);
                  });
    }
    return lagMillis / 1_000;
  }
}
