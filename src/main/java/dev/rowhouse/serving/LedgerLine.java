package dev.rowhouse.serving;

import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.StartedEntry;
import dev.rowhouse.usage.UsageLedger;
import dev.rowhouse.usage.UsageRecord;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * The way of usage records from the tenant's actor to its ledger: gathered by {@link
 * RecordBatcher}, sent one batch at a time, sent again until the ledger acknowledges it, and then
 * told to those that wait for it.
 */
final class LedgerLine {
  /** What the line wants the actor to be woken for. */
  enum Due {
    FLUSH,
    SEND_AGAIN
  }

  private final ActorContext<Object> context;
  private final TimerScheduler<Object> timers;
  private final TenantId tenant;
  private final ServingSettings settings;
  private final RecordBatcher batcher;
  private final Acknowledgements acknowledgements = new Acknowledgements();
  private @Nullable ActorRef<UsageLedger.Command> ledger;
  private boolean journalAway;
  private long flushMillis;
  private long sentMillis;

  LedgerLine(
      ActorContext<Object> context,
      TimerScheduler<Object> timers,
      TenantId tenant,
      ServingSettings settings) {
    this.context = context;
    this.timers = timers;
    this.tenant = tenant;
    this.settings = settings;
    this.batcher =
        new RecordBatcher(
            settings.batchMax(), settings.lingerMillis(), settings.startedLingerMillis());
  }

  void open(ActorRef<UsageLedger.Command> opened) {
    ledger = opened;
  }

  @Nullable ActorRef<UsageLedger.Command> ledger() {
    return ledger;
  }

  /**
   * Whether the journal takes records, and there is room for more until it does. A batch that has
   * had no answer for too long is a no before it has failed.
   */
  boolean takesMore(long nowMillis) {
    boolean silent =
        batcher.again() != null && nowMillis - sentMillis > settings.batchAnswerMillis();
    return !journalAway && !silent && batcher.size() < settings.pendingMax();
  }

  /** The records that are not known to be durable. */
  List<UsageRecord> unwritten() {
    return batcher.unwritten();
  }

  /** Whether every record is durable; without a ledger none will ever be. */
  boolean isDone() {
    return batcher.isEmpty() || ledger == null;
  }

  boolean isEmpty() {
    return batcher.isEmpty();
  }

  void started(StartedEntry entry, long nowMillis) {
    batcher.started(entry, nowMillis);
    schedule(nowMillis);
  }

  /** The request left before it ran. */
  void withdrawn(String attempt) {
    batcher.withdrawn(attempt);
  }

  /** Whether this settlement was told before; who tells it again is answered in due time. */
  boolean isKnown(
      String attempt,
      @Nullable ActorRef<WorkerCommand.Settled> worker,
      @Nullable ActorRef<Object> gateway) {
    return acknowledgements.isKnown(attempt, worker, gateway);
  }

  /** Whether this attempt was settled here. */
  boolean hasEnded(String attempt) {
    return acknowledgements.knows(attempt);
  }

  /** These were settled by an earlier incarnation: who tells of one again is answered at once. */
  void resume(List<String> settled) {
    settled.forEach(acknowledgements::written);
  }

  /** The end of an attempt; both are told when it is durable. */
  void ended(
      UsageRecord record,
      @Nullable ActorRef<WorkerCommand.Settled> worker,
      @Nullable ActorRef<Object> gateway,
      long nowMillis) {
    acknowledgements.await(record.attempt(), worker, gateway);
    batcher.ended(record);
    pump(nowMillis);
  }

  /** Sends the next batch when one is due. */
  void pump(long nowMillis) {
    RecordBatcher.Batch batch = batcher.next(nowMillis);
    if (batch != null) {
      sentMillis = nowMillis;
      send(batch);
    } else {
      schedule(nowMillis);
    }
  }

  /** The batch on its way again, after a failure or to a ledger that was read again. */
  void sendAgain() {
    RecordBatcher.Batch batch = batcher.again();
    if (batch != null) {
      send(batch);
    }
  }

  void appended(LedgerReply.Appended appended, long nowMillis) {
    journalAway = false;
    RecordBatcher.Batch batch = batcher.acknowledged(appended.batch());
    if (batch != null) {
      for (UsageRecord written : batch.records()) {
        acknowledgements.written(written.attempt());
      }
    }
    pump(nowMillis);
  }

  void failed(LedgerReply.AppendFailed failed) {
    if (!journalAway) {
      context.getLog().warn("the journal does not take usage of {}: {}", tenant, failed.reason());
    }
    journalAway = true;
    timers.startSingleTimer(Due.SEND_AGAIN, Duration.ofMillis(settings.retryMillis()));
  }

  private void schedule(long nowMillis) {
    long due = batcher.millisUntilDue(nowMillis);
    if (due == Long.MAX_VALUE || batcher.again() != null) {
      return;
    }
    long dueMillis = nowMillis + Math.max(1, due);
    // The end of a short request is due long before the start that the timer was set for.
    if (!timers.isTimerActive(Due.FLUSH) || dueMillis < flushMillis) {
      flushMillis = dueMillis;
      timers.startSingleTimer(Due.FLUSH, Duration.ofMillis(Math.max(1, due)));
    }
  }

  private void send(RecordBatcher.Batch batch) {
    if (ledger != null) {
      ledger.tell(
          new UsageLedger.Append(
              batch.number(), batch.records(), batch.started(), context.getSelf().narrow()));
    }
  }
}
