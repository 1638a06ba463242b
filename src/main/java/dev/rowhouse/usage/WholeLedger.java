package dev.rowhouse.usage;

import dev.rowhouse.tenant.TenantId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;

/**
 * Reads a tenant's ledger from its first event, by the rules of {@link LedgerState} and without a
 * snapshot: what every other figure has to agree with. It wakes no tenant.
 *
 * <p>It holds one event and what a ledger knows at a time, whatever the journal's length.
 */
public final class WholeLedger {
  private final ActorSystem<?> system;
  private final LedgerSettings settings;

  /** Takes each event in the order of segments and sequence numbers. */
  @FunctionalInterface
  public interface Reader {
    void event(long segment, long sequence, LedgerEvent event);
  }

  /**
   * What a ledger comes to.
   *
   * @param totals each attempt once
   * @param doubled the records that do not count, because another one of their attempt does
   */
  public record Reading(Totals totals, List<Located> doubled) {
    public Reading {
      doubled = List.copyOf(doubled);
    }
  }

  public WholeLedger(ActorSystem<?> system, LedgerSettings settings) {
    this.system = system;
    this.settings = settings;
  }

  /** Reads those segments, each up to a sequence number. */
  public CompletionStage<Reading> read(TenantId tenant, Map<Long, Long> upTo, Reader each) {
    SegmentReader reader = new SegmentReader(system, tenant, settings.readJournal());
    LedgerState state = new LedgerState(settings.rules(), ZoneOffset.UTC);
    return Source.from(upTo.keySet().stream().sorted().toList())
        .flatMapConcat(segment -> reader.events(segment, 0, upTo.getOrDefault(segment, 0L)))
        .runForeach(
            stored -> {
              state.apply(stored.segment(), stored.sequence(), stored.event());
              each.event(stored.segment(), stored.sequence(), stored.event());
            },
            system)
        .thenCompose(_ -> doubtful(reader, state))
        .thenCompose(
            found -> {
              state.resolve(state.doubtful(), found);
              return Source.from(state.skipped().stream().sorted().toList())
                  .mapAsync(1, reader::at)
                  .mapConcat(located -> located)
                  .runWith(Sink.seq(), system);
            })
        .thenApply(doubled -> new Reading(state.totals(), doubled));
  }

  private static CompletionStage<Map<UUID, List<Located>>> doubtful(
      SegmentReader reader, LedgerState state) {
    return state.doubtful().isEmpty()
        ? CompletableFuture.completedFuture(Map.of())
        : reader.find(state.read().keySet(), state.doubtful());
  }
}
