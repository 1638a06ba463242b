package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Two chained segments of three and two commits, and what can be done to them. */
final class LedgerChainTest {
  private static final LedgerRules RULES =
      new LedgerRules(Duration.ofMinutes(30).toMillis(), 1_000, Duration.ofMinutes(20).toMillis());

  private LedgerState state = new LedgerState(RULES, ZoneOffset.UTC);
  private final List<SegmentReader.Stored> journal = new ArrayList<>();

  LedgerChainTest() {
    open(1);
    commit(1);
    commit(1);
    commit(1);
    open(2);
    commit(2);
    commit(2);
  }

  private void open(long segment) {
    LedgerEvent.SegmentOpened opened =
        new LedgerEvent.SegmentOpened(
            segment, 7, "me", state.totals(), state.headsUpTo(), state.heads(), null);
    write(segment, opened.chained(SegmentReader.persistenceId(House.ACME, segment)));
  }

  private void commit(long segment) {
    String head = event(segment, state.readUpTo(segment)).chain();
    write(segment, commit(Sample.record(Sample.NOON)).chained(String.valueOf(head)));
  }

  private static LedgerEvent.Recorded commit(UsageRecord record) {
    return new LedgerEvent.Recorded(List.of(record), List.of(Sample.start(Sample.NOON)));
  }

  private void write(long segment, LedgerEvent event) {
    long sequence = state.readUpTo(segment) + 1;
    state.apply(segment, sequence, event);
    journal.add(new SegmentReader.Stored(segment, sequence, event));
  }

  private void forget() {
    state = new LedgerState(RULES, ZoneOffset.UTC);
    journal.clear();
  }

  private int at(long segment, long sequence) {
    for (int i = 0; i < journal.size(); i++) {
      if (journal.get(i).segment() == segment && journal.get(i).sequence() == sequence) {
        return i;
      }
    }
    throw new AssertionError("no event " + segment + "." + sequence);
  }

  private LedgerEvent event(long segment, long sequence) {
    return journal.get(at(segment, sequence)).event();
  }

  private void replace(long segment, long sequence, LedgerEvent event) {
    journal.set(at(segment, sequence), new SegmentReader.Stored(segment, sequence, event));
  }

  private LedgerChain.Report verify(ChainHead... anchors) {
    LedgerChain chain = new LedgerChain(House.ACME);
    for (ChainHead anchor : anchors) {
      chain.expect(anchor, "the audit log");
    }
    for (SegmentReader.Stored stored : journal) {
      if (stored.event() instanceof LedgerEvent.SegmentOpened opened) {
        chain.expect(opened);
      }
    }
    journal.forEach(it -> chain.next(it.segment(), it.sequence(), it.event()));
    return chain.end();
  }

  private void assertFault(
      LedgerChain.Kind kind, long segment, long sequence, LedgerChain.Report report) {
    assertEquals(1, report.faults().size(), () -> report.faults().toString());
    LedgerChain.Fault fault = report.faults().getFirst();
    assertEquals(kind, fault.kind(), fault.toString());
    assertEquals(segment, fault.segment(), fault.toString());
    assertEquals(sequence, fault.sequence(), fault.toString());
    String text = fault.toString();
    assertTrue(text.contains("tenant acme"), text);
    assertTrue(text.contains("usage|acme|" + segment), text);
    assertTrue(text.contains("restore the rows"), text);
  }

  @Test
  void isIntactAsItWasWritten() {
    LedgerChain.Report report = verify();
    assertEquals(List.of(), report.faults());
    assertEquals(2, report.segments());
    assertEquals(7, report.events());
    assertEquals(0, report.notChained());
    assertEquals(
        List.of(
            new ChainHead("usage|acme|1", 4, String.valueOf(event(1, 4).chain())),
            new ChainHead("usage|acme|2", 3, String.valueOf(event(2, 3).chain()))),
        report.heads());
  }

  @Test
  void anOpeningNamesOnlyWhatNoneNamedBefore() {
    open(3);
    LedgerEvent.SegmentOpened third = (LedgerEvent.SegmentOpened) event(3, 1);
    assertEquals(Map.of(2L, String.valueOf(event(2, 3).chain())), third.heads());
    commit(1);
    open(4);
    LedgerEvent.SegmentOpened fourth = (LedgerEvent.SegmentOpened) event(4, 1);
    assertEquals(
        Map.of(3L, String.valueOf(third.chain()), 1L, String.valueOf(event(1, 5).chain())),
        fourth.heads());
    assertEquals(Map.of(3L, 1L, 1L, 5L), fourth.read());
  }

  @Test
  void aSnapshotKeepsTheHeads() {
    LedgerState restored = LedgerState.restore(RULES, ZoneOffset.UTC, state.snapshot(Sample.NOON));
    assertEquals(state.heads(), Objects.requireNonNull(restored).heads());
  }

  @Nested
  final class Finds {
    @Test
    void aChangedRecord() {
      LedgerEvent.Recorded old = (LedgerEvent.Recorded) event(1, 3);
      UsageRecord record = old.records().getFirst();
      UsageRecord cheaper =
          Sample.record(record.attempt(), Sample.NOON, record.inputTokens() - 1, 5);
      replace(
          1,
          3,
          LedgerEvent.Recorded.stored(
              new LedgerEvent.Recorded(List.of(cheaper), old.started()).payload(), old.chain()));
      assertFault(LedgerChain.Kind.ALTERED, 1, 3, verify());
    }

    @Test
    void aChangedRecordThatWasChainedAgain() {
      replace(
          1, 3, commit(Sample.record(Sample.NOON)).chained(String.valueOf(event(1, 2).chain())));
      assertFault(LedgerChain.Kind.ALTERED, 1, 4, verify());
    }

    @Test
    void aSegmentThatWasWrittenAnew() {
      for (int sequence = 3; sequence <= 4; sequence++) {
        replace(
            1,
            sequence,
            commit(Sample.record(Sample.NOON))
                .chained(String.valueOf(event(1, sequence - 1).chain())));
      }
      assertFault(LedgerChain.Kind.ALTERED, 1, 4, verify());
    }

    @Test
    void aChangedOpening() {
      LedgerEvent.SegmentOpened old = (LedgerEvent.SegmentOpened) event(2, 1);
      replace(
          2,
          1,
          new LedgerEvent.SegmentOpened(
              2, old.timeMillis(), old.owner(), Totals.NONE, old.read(), old.heads(), old.chain()));
      assertFault(LedgerChain.Kind.ALTERED, 2, 1, verify());
    }

    @Test
    void aSegmentOfAnotherTenant() {
      replace(1, 1, ((LedgerEvent.SegmentOpened) event(1, 1)).chained("usage|other|1"));
      assertEquals(LedgerChain.Kind.ALTERED, verify().faults().getFirst().kind());
    }

    @Test
    void anEventWithoutItsLink() {
      LedgerEvent.Recorded old = (LedgerEvent.Recorded) event(2, 3);
      replace(2, 3, LedgerEvent.Recorded.stored(old.payload(), null));
      assertFault(LedgerChain.Kind.ALTERED, 2, 3, verify());
    }

    @Test
    void aDeletedEvent() {
      journal.remove(at(1, 2));
      assertFault(LedgerChain.Kind.MISSING, 1, 2, verify());
    }

    @Test
    void aDeletedOpening() {
      journal.remove(at(2, 1));
      assertFault(LedgerChain.Kind.MISSING, 2, 1, verify());
    }

    @Test
    void aDeletedEventWhosePlaceWasClosed() {
      LedgerEvent last = event(1, 4);
      journal.remove(at(1, 4));
      replace(1, 3, last);
      assertEquals(
          List.of(LedgerChain.Kind.ALTERED, LedgerChain.Kind.CUT),
          verify().faults().stream().map(LedgerChain.Fault::kind).toList());
    }

    @Test
    void aCutInAnOlderSegmentByTheOpeningOfTheNext() {
      journal.remove(at(1, 4));
      LedgerChain.Report report = verify();
      assertFault(LedgerChain.Kind.CUT, 1, 4, report);
      assertTrue(
          report.faults().getFirst().what().contains("the opening of segment 2"),
          report.faults().toString());
    }

    @Test
    void aCutInTheLastSegmentByAnAnchor() {
      ChainHead anchor = new ChainHead("usage|acme|2", 3, String.valueOf(event(2, 3).chain()));
      assertEquals(List.of(), verify(anchor).faults());
      journal.remove(at(2, 3));
      assertEquals(List.of(), verify().faults());
      LedgerChain.Report report = verify(anchor);
      assertFault(LedgerChain.Kind.CUT, 2, 3, report);
      assertTrue(report.faults().getFirst().what().contains("the audit log"));
    }

    @Test
    void aSegmentThatIsGone() {
      journal.removeIf(it -> it.segment() == 1);
      assertFault(LedgerChain.Kind.CUT, 1, 1, verify());
    }

    @Test
    void whatCannotBeRead() {
      LedgerChain chain = new LedgerChain(House.ACME);
      journal.subList(0, 2).forEach(it -> chain.next(it.segment(), it.sequence(), it.event()));
      chain.unreadable(1, "the checksum does not fit");
      journal.subList(4, 7).forEach(it -> chain.next(it.segment(), it.sequence(), it.event()));
      assertFault(LedgerChain.Kind.UNREADABLE, 1, 3, chain.end());
    }

    @Test
    void noMoreFaultsThanAReportHolds() {
      for (int i = 0; i < LedgerChain.FAULTS_MAX + 10; i++) {
        write(2, LedgerEvent.Recorded.stored(commit(Sample.record(Sample.NOON)).payload(), "00"));
      }
      assertEquals(LedgerChain.FAULTS_MAX, verify().faults().size());
    }
  }

  @Nested
  final class OfOldForms {
    @Test
    void areNotChainedAndNotBroken() {
      forget();
      write(3, new LedgerEvent.SegmentOpened(3, 7, "me", Totals.NONE, Map.of(1L, 9L)));
      write(3, commit(Sample.record(Sample.NOON)));
      open(4);
      commit(4);
      LedgerChain.Report report = verify();
      assertEquals(List.of(), report.faults());
      assertEquals(2, report.notChained());
      assertEquals(4, report.events());
    }

    @Test
    void haveHolesThatAreSeen() {
      forget();
      write(3, new LedgerEvent.SegmentOpened(3, 7, "me", Totals.NONE, Map.of()));
      write(3, commit(Sample.record(Sample.NOON)));
      write(3, commit(Sample.record(Sample.NOON)));
      journal.remove(at(3, 2));
      assertFault(LedgerChain.Kind.MISSING, 3, 2, verify());
    }
  }
}
