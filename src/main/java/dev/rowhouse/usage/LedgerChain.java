package dev.rowhouse.usage;

import dev.rowhouse.tenant.TenantId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Checks the hash chains of one tenant's ledger: a changed event, a missing one, a cut tail. It is
 * fed with the events of each segment in order, after it was told what others know of the chains:
 * the openings of the segments, and heads that were kept outside the journal. It reads nothing
 * itself.
 *
 * <p>Segments of the old forms have no chain. They are counted as not chained and never called
 * broken, but a hole in their sequence numbers is one.
 */
public final class LedgerChain {
  /** The most faults of one report; one is enough to act, and a lost file would have millions. */
  public static final int FAULTS_MAX = 100;

  /** What is wrong with an event. */
  public enum Kind {
    /** It is not what was written. */
    ALTERED,
    /** It is gone, and later ones are there. */
    MISSING,
    /** It was the last of its segment or stood before the last, and is gone with all after it. */
    CUT,
    /** It cannot be read. */
    UNREADABLE
  }

  /**
   * A fault.
   *
   * @param what what was found, with the numbers
   * @param remedy what to do about it
   */
  public record Fault(
      TenantId tenant,
      String persistenceId,
      long segment,
      long sequence,
      Kind kind,
      String what,
      String remedy) {
    @Override
    public String toString() {
      return "tenant %s, segment %d (%s), sequence number %d: %s; %s"
          .formatted(tenant.value(), segment, persistenceId, sequence, what, remedy);
    }
  }

  /**
   * What came out.
   *
   * @param notChained events of old forms among them
   * @param heads the chains as they end now, to be kept elsewhere
   * @param faults the first {@value #FAULTS_MAX}
   */
  public record Report(
      TenantId tenant,
      long segments,
      long events,
      long notChained,
      List<ChainHead> heads,
      List<Fault> faults) {
    public boolean isIntact() {
      return faults.isEmpty();
    }
  }

  private record Expected(String hash, String by) {}

  private final TenantId tenant;
  private final Map<Long, NavigableMap<Long, Expected>> expected = new HashMap<>();
  private final List<Fault> faults = new ArrayList<>();
  private final List<ChainHead> heads = new ArrayList<>();
  private long segments;
  private long events;
  private long notChained;

  private long segment;
  private long sequence;
  private boolean chained;
  private @Nullable String chain;

  public LedgerChain(TenantId tenant) {
    this.tenant = tenant;
  }

  /** What somebody outside the journal knows. Heads of other tenants are none of ours. */
  public void expect(ChainHead anchor, String by) {
    String prefix = SegmentReader.persistenceId(tenant, 0);
    String own = prefix.substring(0, prefix.length() - 1);
    if (anchor.persistenceId().startsWith(own)) {
      long number = Long.parseLong(anchor.persistenceId().substring(own.length()));
      expect(number, anchor.sequence(), anchor.hash(), by);
    }
  }

  /** What the opening of a segment says about older ones; before the first {@link #next}. */
  public void expect(LedgerEvent.SegmentOpened opened) {
    if (opened.chain() != null) {
      opened
          .heads()
          .forEach(
              (number, hash) ->
                  expect(
                      number,
                      opened.read().getOrDefault(number, 0L),
                      hash,
                      "the opening of segment " + opened.segment()));
    }
  }

  private void expect(long number, long at, String hash, String by) {
    expected.computeIfAbsent(number, it -> new TreeMap<>()).put(at, new Expected(hash, by));
  }

  /** The next event of a segment; the segments come one after another, in any order. */
  public void next(long number, long at, LedgerEvent event) {
    if (number != segment) {
      endSegment();
      segment = number;
      segments++;
    }
    boolean follows = at == sequence + 1;
    if (!follows) {
      fault(
          sequence + 1,
          Kind.MISSING,
          "the events %d to %d are missing".formatted(sequence + 1, at - 1));
    }
    events++;
    switch (event) {
      case LedgerEvent.SegmentOpened opened -> open(at, opened);
      case LedgerEvent.Recorded recorded -> link(at, recorded, follows);
    }
    sequence = at;
    chain = event.chain();
    if (chain == null) {
      notChained++;
    }
    meet(at);
  }

  private void open(long at, LedgerEvent.SegmentOpened opened) {
    String own = opened.chain();
    if (at != 1 || opened.segment() != segment) {
      fault(at, Kind.ALTERED, "an opening of segment " + opened.segment() + " stands here");
    } else if (own != null) {
      chained = true;
      if (!ChainLink.first(persistenceId(), opened).hash().equals(own)) {
        fault(at, Kind.ALTERED, "the opening is not what was written");
      }
    }
  }

  private void link(long at, LedgerEvent.Recorded recorded, boolean follows) {
    String own = recorded.chain();
    String before = chain;
    if (at == 1) {
      fault(at, Kind.ALTERED, "a segment begins with its opening, and this is none");
    } else if (own == null && chained) {
      fault(at, Kind.ALTERED, "the event has lost its link of the chain");
    } else if (own != null && !follows) {
      chained = true;
    } else if (own != null
        && (before == null || !ChainLink.next(before, recorded).hash().equals(own))) {
      fault(at, Kind.ALTERED, "the event is not what was written after number " + sequence);
    }
  }

  /** Compares with what others know of this place. */
  private void meet(long at) {
    NavigableMap<Long, Expected> here = expected.get(segment);
    Expected known = here == null ? null : here.remove(at);
    if (known != null && !known.hash().equals(chain == null ? "" : chain)) {
      fault(at, Kind.ALTERED, "the chain is not the one that " + known.by() + " names");
    }
  }

  /** What follows the last event of a segment cannot be read. */
  public void unreadable(long number, String why) {
    if (number != segment) {
      endSegment();
      segment = number;
      segments++;
    }
    fault(sequence + 1, Kind.UNREADABLE, why);
    expected.remove(number);
  }

  private void endSegment() {
    if (segment != 0 && chain != null) {
      heads.add(new ChainHead(persistenceId(), sequence, chain));
    }
    NavigableMap<Long, Expected> left = expected.remove(segment);
    if (left != null && !left.isEmpty()) {
      cut(left);
    }
    segment = 0;
    sequence = 0;
    chain = null;
    chained = false;
  }

  private void cut(NavigableMap<Long, Expected> left) {
    if (left.lastKey() > sequence) {
      fault(
          sequence + 1,
          Kind.CUT,
          "the segment ends after %d events, and %s knows it until %d"
              .formatted(sequence, left.lastEntry().getValue().by(), left.lastKey()));
    }
  }

  private void fault(long at, Kind kind, String what) {
    if (faults.size() < FAULTS_MAX) {
      faults.add(
          new Fault(
              tenant, persistenceId(), segment, at, kind, what, JournalAdvice.of(persistenceId())));
    }
  }

  private String persistenceId() {
    return SegmentReader.persistenceId(tenant, segment);
  }

  /** What came out, when all was fed. */
  public Report end() {
    endSegment();
    for (Map.Entry<Long, NavigableMap<Long, Expected>> entry : new TreeMap<>(expected).entrySet()) {
      segment = entry.getKey();
      cut(entry.getValue());
    }
    segment = 0;
    return new Report(
        tenant, segments, events, notChained, List.copyOf(heads), List.copyOf(faults));
  }
}
