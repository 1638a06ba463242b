package dev.rowhouse.usage;

import dev.rowhouse.journal.Fence;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/** The segment that a ledger writes: none, until it has something to write. */
final class OpenSegment {
  private final ActorContext<UsageLedger.Command> context;
  private final LedgerHome home;
  private final ActorRef<Segment.Written> landed;
  private @Nullable ActorRef<Segment.Write> writer;
  private long number;

  OpenSegment(ActorContext<UsageLedger.Command> context, LedgerHome home) {
    this.context = context;
    this.home = home;
    this.landed = context.messageAdapter(Segment.Written.class, LedgerNote.Landed::new);
  }

  boolean isOpen() {
    return writer != null;
  }

  /** Whether that is the number of the open one. */
  boolean is(long candidate) {
    return writer != null && number == candidate;
  }

  /** The number of the open one; 0 when there is none. */
  long number() {
    return writer == null ? 0 : number;
  }

  /** Asks the Fence for a number; it comes as a note. */
  void claim() {
    context.pipeToSelf(
        home.claim(),
        (claimed, problem) ->
            claimed == null
                ? new LedgerNote.Failed("cannot claim a segment", Fence.cause(problem))
                : new LedgerNote.Claimed(claimed));
  }

  /** Opens the segment of that number with what is known. */
  void open(long claimed, LedgerState known) {
    ActorRef<Segment.Write> opened =
        context.spawn(
            Segment.create(
                SegmentReader.persistenceId(home.tenant(), claimed), claimed, home.settings()),
            "segment-" + claimed);
    context.watchWith(opened, new LedgerNote.SegmentLost(claimed));
    writer = opened;
    number = claimed;
    LedgerEvent.SegmentOpened opening =
        new LedgerEvent.SegmentOpened(
            claimed,
            home.clock().millis(),
            home.owner(),
            known.totals(),
            known.headsUpTo(),
            known.heads(),
            null);
    send(opening.chained(SegmentReader.persistenceId(home.tenant(), claimed)), known);
  }

  /** Writes one group commit; there is one write at a time. */
  void write(LedgerEvent.Recorded commit, LedgerState known) {
    String head = known.head(number);
    if (head == null) {
      throw new IllegalStateException("segment " + number + " has no opening");
    }
    send(commit.chained(head), known);
  }

  private void send(LedgerEvent event, LedgerState known) {
    ActorRef<Segment.Write> open = writer;
    if (open == null) {
      throw new IllegalStateException("no segment is open");
    }
    boolean due = home.settings().isSnapshotAt(known.readUpTo(number) + 1);
    open.tell(new Segment.Write(event, due ? known.snapshot(home.now()) : null, landed));
  }

  /** Never writes this one again. */
  void leave() {
    ActorRef<Segment.Write> open = writer;
    writer = null;
    if (open != null) {
      context.stop(open);
    }
  }
}
