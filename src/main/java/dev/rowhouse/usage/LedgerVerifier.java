package dev.rowhouse.usage;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.tenant.TenantId;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;

/** Reads all segments of a tenant from the journal and checks their chains. It may run anywhere. */
public final class LedgerVerifier {
  private final ActorSystem<?> system;
  private final SegmentReader reader;
  private final LedgerChain chain;

  private LedgerVerifier(ActorSystem<?> system, TenantId tenant, String readJournal) {
    this.system = system;
    this.reader = new SegmentReader(system, tenant, readJournal);
    this.chain = new LedgerChain(tenant);
  }

  /**
   * Verifies a ledger. A row that cannot be read is a fault of the report and ends its segment.
   *
   * @param segments the numbers that the Fence has handed out for it, see {@link #fenceName}
   * @param anchors heads that were kept outside the journal
   * @param readJournal the plugin that reads the journal, {@code rowhouse.usage.read-journal}
   */
  public static CompletionStage<LedgerChain.Report> verify(
      ActorSystem<?> system,
      TenantId tenant,
      Collection<Long> segments,
      Collection<ChainHead> anchors,
      String readJournal) {
    LedgerVerifier verifier = new LedgerVerifier(system, tenant, readJournal);
    anchors.forEach(anchor -> verifier.chain.expect(anchor, "an anchor outside the journal"));
    List<Long> numbers = segments.stream().sorted().toList();
    return verifier
        .each(numbers, verifier::opening)
        .thenCompose(done -> verifier.each(numbers, verifier::events))
        .thenApply(done -> verifier.chain.end());
  }

  /** The name under which the Fence counts the segments of a tenant. */
  public static String fenceName(TenantId tenant) {
    return SegmentReader.fenceName(tenant);
  }

  private interface Reading {
    CompletionStage<Done> of(long segment);
  }

  private CompletionStage<Done> each(List<Long> numbers, Reading reading) {
    return Source.from(numbers).mapAsync(1, reading::of).runWith(Sink.ignore(), system);
  }

  private CompletionStage<Done> opening(long segment) {
    return reader
        .events(segment, 0, 1)
        .runForeach(
            first -> {
              if (first.event() instanceof LedgerEvent.SegmentOpened opened) {
                chain.expect(opened);
              }
            },
            system)
        // It is told when the events are read.
        .exceptionally(unreadable -> Done.getInstance());
  }

  private CompletionStage<Done> events(long segment) {
    return reader
        .events(segment, 0, Long.MAX_VALUE)
        .runForeach(
            stored -> chain.next(stored.segment(), stored.sequence(), stored.event()), system)
        .exceptionally(
            failure -> {
              chain.unreadable(segment, String.valueOf(Fence.cause(failure).getMessage()));
              return Done.getInstance();
            });
  }
}
