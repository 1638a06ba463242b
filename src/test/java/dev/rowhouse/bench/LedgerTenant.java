package dev.rowhouse.bench;

import dev.rowhouse.usage.AttemptId;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import dev.rowhouse.usage.UsageRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * A tenant whose records come at a fixed rate, whatever the ledger does; what has come while a
 * batch is written goes with the next one, as the tenant's entity does it.
 */
final class LedgerTenant {
  private static final int BATCH_LENGTH_MAX = 500;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final ActorSystem<?> system;
  private final ActorRef<UsageLedger.Command> ledger;
  private final SplittableRandom random;
  private final double perNano;
  private final long phaseNanos;
  private final LedgerFigures figures;
  private long batch;
  private long sent;

  LedgerTenant(
      ActorSystem<?> system,
      ActorRef<UsageLedger.Command> ledger,
      double recordsPerSecond,
      LedgerFigures figures) {
    this.system = system;
    this.ledger = ledger;
    this.random = new SplittableRandom(ThreadLocalRandom.current().nextLong());
    this.perNano = recordsPerSecond / 1e9;
    this.phaseNanos = (long) (random.nextDouble() / perNano);
    this.figures = figures;
  }

  /** Ends when the time is over and all that came is written. */
  CompletableFuture<Void> run(long startNanos, long endNanos) {
    long now = System.nanoTime();
    long come = (long) ((Math.min(now, endNanos) - startNanos - phaseNanos) * perNano);
    int due = (int) Math.min(Math.max(0, come - sent), BATCH_LENGTH_MAX);
    if (due == 0) {
      if (now >= endNanos) {
        return CompletableFuture.completedFuture(null);
      }
      CompletableFuture<Void> later = new CompletableFuture<>();
      long wait = (long) ((sent + 1) / perNano) + phaseNanos - (now - startNanos);
      system
          .scheduler()
          .scheduleOnce(
              Duration.ofNanos(Math.max(1_000_000, wait)),
              () -> later.complete(null),
              system.executionContext());
      return later.thenCompose(done -> run(startNanos, endNanos));
    }
    return append(records(due, random))
        .thenCompose(
            done -> {
              long written = System.nanoTime();
              for (long record = sent + 1; record <= sent + due; record++) {
                long came = startNanos + phaseNanos + (long) (record / perNano);
                figures.record(written - came);
              }
              figures.commit(written - now);
              sent += due;
              return run(startNanos, endNanos);
            });
  }

  /** Writes one record, and with it the opening of the segment. */
  CompletableFuture<Void> open() {
    return append(records(1, random));
  }

  private CompletableFuture<Void> append(List<UsageRecord> records) {
    long number = ++batch;
    return AskPattern.<UsageLedger.Command, LedgerReply.Append>ask(
            ledger,
            replyTo -> new UsageLedger.Append(number, records, List.of(), replyTo),
            PATIENCE,
            system.scheduler())
        .toCompletableFuture()
        .thenAccept(
            reply -> {
              if (reply instanceof LedgerReply.AppendFailed failed) {
                throw new IllegalStateException(failed.reason());
              }
            });
  }

  static List<UsageRecord> records(int length, SplittableRandom random) {
    Instant now = Instant.now();
    List<UsageRecord> records = new ArrayList<>(length);
    for (int i = 0; i < length; i++) {
      long input = random.nextInt(4_000);
      long output = random.nextInt(900);
      records.add(
          new UsageRecord(
              AttemptId.mint(now, random),
              now.toEpochMilli(),
              "k" + random.nextInt(3),
              "small",
              "small-2026-01",
              input,
              output,
              UsageRecord.Status.COMPLETED,
              200,
              null,
              true,
              false,
              random.nextInt(5_000),
              random.nextInt(900),
              random.nextInt(100),
              UsageRecord.MISS,
              null,
              input + 3 * output,
              2));
    }
    return records;
  }
}
