package dev.rowhouse.usage;

import com.datastax.oss.driver.api.core.DriverException;
import dev.rowhouse.tenant.TenantId;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.LongStream;
import org.apache.pekko.NotUsed;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.Graph;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * All rows of segments that can be read: one that cannot be is noted as a fault and passed over,
 * and so is one that is missing between two others. A database that does not answer is no fault of
 * a row; then reading fails.
 */
final class SegmentRows {
  /** More corrupt rows than this and it is not rows that are wrong. */
  private static final int FAULTS_MAX = 100;

  /** The plugin fetches so many rows at once, and a failure may hide as many good ones. */
  private static final int PROBES_MAX = 2_000;

  private final SegmentReader reader;
  private final TenantId tenant;
  private final List<RowFault> faults = new ArrayList<>();

  SegmentRows(SegmentReader reader, TenantId tenant) {
    this.reader = reader;
    this.tenant = tenant;
  }

  List<RowFault> faults() {
    return List.copyOf(faults);
  }

  /** How far a segment was read. */
  private static final class Cursor {
    long sequence;

    Cursor(long sequence) {
      this.sequence = sequence;
    }
  }

  /** One row that was asked for alone. */
  private record Probe(long sequence, SegmentReader.@Nullable Stored row, String failure) {}

  /**
   * The rows of a segment in order.
   *
   * @param to the last row that there must be; Long.MAX_VALUE: whichever is the last
   */
  Source<SegmentReader.Stored, NotUsed> rows(long segment, long to) {
    Cursor cursor = new Cursor(0);
    return rows(segment, to, cursor)
        .concatLazy(
            Source.lazySource(
                () -> {
                  if (to != Long.MAX_VALUE && cursor.sequence < to) {
                    missing(segment, cursor.sequence, to + 1);
                  }
                  return Source.<SegmentReader.Stored>empty();
                }));
  }

  private Source<SegmentReader.Stored, NotUsed> rows(long segment, long to, Cursor cursor) {
    return reader
        .events(segment, cursor.sequence, to)
        .map(
            row -> {
              missing(segment, cursor.sequence, row.sequence());
              cursor.sequence = row.sequence();
              return row;
            })
        .recoverWithRetries(
            1,
            new PFBuilder<Throwable, Graph<SourceShape<SegmentReader.Stored>, NotUsed>>()
                .match(Throwable.class, failure -> pass(segment, to, cursor, failure))
                .build());
  }

  private void missing(long segment, long before, long after) {
    if (after > before + 1) {
      String rows = after == before + 2 ? "it is" : "it and the rows up to " + (after - 1) + " are";
      note(new RowFault(tenant, segment, before + 1, rows + " not in the journal"));
    }
  }

  private void note(RowFault fault) {
    if (faults.size() >= FAULTS_MAX) {
      throw new IllegalStateException("more than " + FAULTS_MAX + " rows cannot be read");
    }
    faults.add(fault);
  }

  /** Goes on row by row to the one that cannot be read, and past it. */
  private Source<SegmentReader.Stored, NotUsed> pass(
      long segment, long to, Cursor cursor, Throwable failure) {
    if (isAway(failure)) {
      return Source.failed(failure);
    }
    long first = cursor.sequence + 1;
    boolean[] found = {false};
    return Source.fromIterator(() -> LongStream.range(first, first + PROBES_MAX).iterator())
        .flatMapConcat(sequence -> probe(segment, sequence))
        .takeWhile(probe -> probe.row() != null, true)
        .mapConcat(
            probe -> {
              SegmentReader.Stored row = probe.row();
              missing(segment, cursor.sequence, probe.sequence());
              cursor.sequence = probe.sequence();
              if (row == null) {
                found[0] = true;
                note(new RowFault(tenant, segment, probe.sequence(), probe.failure()));
                return List.<SegmentReader.Stored>of();
              }
              return List.of(row);
            })
        .concatLazy(
            Source.lazySource(
                () ->
                    found[0]
                        ? rows(segment, to, cursor)
                        : Source.<SegmentReader.Stored>failed(failure)));
  }

  private Source<Probe, NotUsed> probe(long segment, long sequence) {
    return reader
        .events(segment, sequence - 1, sequence)
        .map(row -> new Probe(sequence, row, ""))
        .recoverWithRetries(
            1,
            new PFBuilder<Throwable, Graph<SourceShape<Probe>, NotUsed>>()
                .match(
                    Throwable.class,
                    failure ->
                        isAway(failure)
                            ? Source.failed(failure)
                            : Source.single(new Probe(sequence, null, reason(failure))))
                .build());
  }

  private static String reason(Throwable failure) {
    Throwable cause = failure.getCause() == null ? failure : failure.getCause();
    return "cannot be read: " + cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }

  private static boolean isAway(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException
          || cause instanceof DriverException
          || cause instanceof TimeoutException
          || cause instanceof RejectedExecutionException) {
        return true;
      }
    }
    return false;
  }
}
