package dev.rowhouse.usage;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a ledger answers. */
public sealed interface LedgerReply {
  sealed interface Append extends LedgerReply {}

  sealed interface Usage extends LedgerReply {}

  sealed interface Sums extends LedgerReply {}

  sealed interface Records extends LedgerReply {}

  sealed interface Find extends LedgerReply {}

  sealed interface Cut extends LedgerReply {}

  /** The journal cannot be read now, or too many wait; ask again later. */
  record Away(String reason) implements Usage, Sums, Records, Find, Cut {}

  /** Every record and start of that batch is on disk. */
  record Appended(long batch) implements Append {}

  /** It is not known whether that batch is on disk; send the same again. */
  record AppendFailed(long batch, String reason) implements Append {}

  /** The buckets that are not empty, oldest first. */
  record UsageRows(List<UsageRow> rows) implements Usage {}

  /** The query makes no sense; the reason is for the one who asked. */
  record UsageRefused(String parameter, String reason) implements Usage {}

  record TotalsNow(Totals totals, MonthUse month) implements Sums {}

  /**
   * The figures at one moment, and what of the journal they are made of: a replay of exactly that
   * must come to the same.
   *
   * @param rows the buckets that were asked for; empty when none were
   * @param read the sequence number up to which each segment was counted
   * @param settled whether no record waits to be compared with others of its attempt
   */
  record CutNow(Totals totals, List<UsageRow> rows, Map<Long, Long> read, boolean settled)
      implements Cut {}

  /** A record and the cursor after it. */
  record RecordRow(String id, UsageRecord record) {}

  record RecordsPage(List<RecordRow> records, boolean hasMore, @Nullable String lastId)
      implements Records {}

  /** The cursor is none of ours, or the limit is out of range. */
  record RecordsRefused(String parameter, String reason) implements Records {}

  record Found(UsageRecord record) implements Find {}

  record StillOpen(StartedEntry start) implements Find {}

  record NoRecord() implements Find {}

  /**
   * How it stands with the ledger.
   *
   * @param segment the segment that this incarnation writes; 0 when it has written nothing
   * @param failure why the ledger is away; absent when it is not
   */
  record Status(
      boolean loaded,
      long segment,
      long sequence,
      int segments,
      int openStarts,
      int attemptsKnown,
      @Nullable String failure,
      @Nullable Instant readAt)
      implements LedgerReply {}

  /** What a ledger tells its parent of its own accord, whenever it has tried to read. */
  sealed interface Notice extends LedgerReply {}

  /** It cannot be read now, as its queries hear too; it is tried again, after a back-off. */
  record Unread(String reason) implements Notice {}

  /**
   * What the journal holds, told to the parent whenever it was read: at each start, after each
   * failure, and when reconciliation found something. Records that the parent still keeps are not
   * in it.
   *
   * @param zone the time zone of its months
   * @param month of the present month in that time zone
   * @param lastMinute by second, oldest first
   * @param keys of each key that used something of late
   * @param answerTokens per model of late, how long the tenant's answers are
   * @param openStarts starts that nobody has settled
   * @param settled the latest attempts whose records are counted in it, oldest first; bounded
   */
  record Opened(
      String zone,
      Totals totals,
      MonthUse month,
      List<SecondUse> lastMinute,
      Map<String, KeyUsed> keys,
      Map<String, Double> answerTokens,
      List<StartedEntry> openStarts,
      List<String> settled)
      implements Notice {
    public Opened {
      lastMinute = List.copyOf(lastMinute);
      keys = Map.copyOf(keys);
      answerTokens = Map.copyOf(answerTokens);
      openStarts = List.copyOf(openStarts);
      settled = List.copyOf(settled);
    }
  }

  /** What one key used of the present month and of the last minute. */
  record KeyUsed(MonthUse month, List<SecondUse> lastMinute) {
    public KeyUsed {
      lastMinute = List.copyOf(lastMinute);
    }
  }
}
