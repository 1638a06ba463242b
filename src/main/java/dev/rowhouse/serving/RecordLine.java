package dev.rowhouse.serving;

import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.tenant.TenantReply;
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * The way from the tenant's actor to its record: a child that is started again, after a pause, when
 * its journal fails.
 */
final class RecordLine {
  /** What the line wants the actor to be woken for. */
  enum Due {
    OPEN
  }

  private final ActorContext<Object> context;
  private final TimerScheduler<Object> timers;
  private final TenantId tenant;
  private final ServingParts parts;
  private @Nullable ActorRef<TenantRecord.Command> record;

  RecordLine(
      ActorContext<Object> context,
      TimerScheduler<Object> timers,
      TenantId tenant,
      ServingParts parts) {
    this.context = context;
    this.timers = timers;
    this.tenant = tenant;
    this.parts = parts;
  }

  /** Starts the record; the actor hears of its end by a signal. */
  void open() {
    ActorRef<TenantRecord.Command> opened =
        context.spawnAnonymous(parts.record(tenant, context.getSelf().narrow()));
    context.watch(opened);
    record = opened;
  }

  void stopped() {
    record = null;
    timers.startSingleTimer(Due.OPEN, Duration.ofMillis(parts.settings().retryMillis()));
  }

  void execute(TenantCommand command, ActorRef<TenantReply> replyTo) {
    if (record != null) {
      record.tell(new TenantRecord.Execute(command, replyTo));
    } else {
      replyTo.tell(
          new TenantReply.Refused(
              TenantReply.Reason.JOURNAL_UNAVAILABLE,
              null,
              "The journal does not answer. Try again shortly."));
    }
  }

  /** A budget is nearly used up: the record keeps it, and whoever looks hears of it. */
  void mark(BudgetMark mark) {
    context
        .getLog()
        .warn(
            "tenant {} has used {} % of {} of {}",
            tenant, mark.percent(), mark.limit(), mark.month());
    parts.marked().accept(mark);
    execute(new TenantCommand.MarkBudget(mark), context.getSystem().ignoreRef());
  }
}
