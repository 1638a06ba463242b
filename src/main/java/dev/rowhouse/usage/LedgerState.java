package dev.rowhouse.usage;

import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a ledger knows: the union of all segments that it has read, by attempt id. It is all the
 * rules and no hands: events go in by {@link #apply}, and nothing else changes a figure but {@link
 * #resolve}, which settles what one event alone could not tell.
 *
 * <p>Each attempt has at most one record that counts. The window holds the position of that record
 * for every attempt minted since {@code knownSinceMillis}; what is older and not in it may or may
 * not have been counted. Such a record, and the second real record of an attempt, is first put
 * aside (its position is skipped, its attempt doubtful). When its records have been fetched from
 * the journal, {@link #resolve} lets the best of them count ({@link Located#BEST_FIRST}).
 *
 * <p>It changes in place, because a hot tenant has hundreds of records in each event; one actor
 * owns it.
 */
final class LedgerState {
  private final LedgerRules rules;
  private final Rollups rollups = new Rollups();
  private final Months months;
  private final LastMinute lastMinute = new LastMinute();
  private final KeyUse keys;
  private final SegmentsRead segments = new SegmentsRead();
  private final TreeMap<UUID, Position> window = new TreeMap<>();

  /** Rows that repeat another one; there are as many as writes that timed out and landed. */
  private final Set<Position> skipped = new LinkedHashSet<>();

  private final Set<UUID> doubtful = new LinkedHashSet<>();
  private final Map<UUID, OpenStart> open = new LinkedHashMap<>();
  private final Map<UUID, UsageRecord> unknown = new HashMap<>();
  private Totals totals = Totals.NONE;
  private long knownSinceMillis;

  /**
   * A start that waits for its record.
   *
   * @param sure whether it is certain that no record of it was read before
   */
  private record OpenStart(StartedEntry entry, boolean sure) {}

  /**
   * What of an append is new.
   *
   * @param unsure attempts that may be in the journal already, older than what is known
   */
  record Sifted(List<UsageRecord> records, List<StartedEntry> started, Set<UUID> unsure) {
    boolean isEmpty() {
      return records.isEmpty() && started.isEmpty();
    }
  }

  LedgerState(LedgerRules rules, ZoneId zone) {
    this.rules = rules;
    this.months = new Months(zone);
    this.keys = new KeyUse(zone);
  }

  /** Takes in the event at that place; one that was taken in before changes nothing. */
  void apply(long segment, long sequence, LedgerEvent event) {
    if (sequence <= readUpTo(segment)) {
      return;
    }
    segments.advance(segment, sequence, event);
    switch (event) {
      case LedgerEvent.SegmentOpened opened -> {}
      case LedgerEvent.Recorded recorded -> {
        int index = 0;
        for (UsageRecord record : recorded.records()) {
          count(record, new Position(segment, sequence, index));
          index++;
        }
        recorded.started().forEach(this::start);
        forget();
      }
    }
  }

  private void count(UsageRecord record, Position at) {
    UUID attempt = AttemptId.parse(record.attempt());
    OpenStart start = open.remove(attempt);
    Position counted = window.get(attempt);
    if (counted == null) {
      if (isKnown(attempt) || (start != null && start.sure())) {
        add(attempt, record, at);
      } else {
        putAside(attempt, at);
      }
      return;
    }
    UsageRecord placeholder = unknown.get(attempt);
    if (record.status() == UsageRecord.Status.UNKNOWN) {
      skipped.add(at);
    } else if (placeholder != null) {
      take(attempt, placeholder, counted);
      add(attempt, record, at);
    } else {
      putAside(attempt, at);
    }
  }

  private void start(StartedEntry entry) {
    UUID attempt = AttemptId.parse(entry.attempt());
    if (!window.containsKey(attempt)) {
      open.putIfAbsent(attempt, new OpenStart(entry, isKnown(attempt)));
    }
  }

  /** Whether an attempt of that age would be known, had it been counted. */
  boolean isKnown(UUID attempt) {
    return AttemptId.mintedMillis(attempt) >= knownSinceMillis;
  }

  private void putAside(UUID attempt, Position at) {
    skipped.add(at);
    doubtful.add(attempt);
  }

  private void add(UUID attempt, UsageRecord record, Position at) {
    change(record, 1);
    window.put(attempt, at);
    if (record.status() == UsageRecord.Status.UNKNOWN) {
      unknown.put(attempt, record);
    }
  }

  private void take(UUID attempt, UsageRecord record, Position at) {
    change(record, -1);
    skipped.add(at);
    unknown.remove(attempt);
  }

  private void change(UsageRecord record, int sign) {
    totals = sign > 0 ? totals.plus(record) : totals.minus(record);
    rollups.change(record, sign);
    months.change(record, sign);
    lastMinute.change(record, sign);
    keys.change(record, sign);
  }

  private void forget() {
    if (window.isEmpty()) {
      return;
    }
    long tooOld = AttemptId.mintedMillis(window.lastKey()) - rules.windowMillis();
    while (window.size() > rules.windowAttemptsMax()
        || AttemptId.mintedMillis(window.firstKey()) < tooOld) {
      UUID attempt = window.firstKey();
      window.remove(attempt);
      unknown.remove(attempt);
      knownSinceMillis = Math.max(knownSinceMillis, AttemptId.mintedMillis(attempt) + 1);
    }
  }

  /** The attempts whose records have to be fetched before the figures are right. */
  Set<UUID> doubtful() {
    return Set.copyOf(doubtful);
  }

  /** Lets the best record of each of those attempts count. */
  void resolve(Set<UUID> attempts, Map<UUID, List<Located>> everywhere) {
    attempts.forEach(attempt -> resolve(attempt, everywhere.getOrDefault(attempt, List.of())));
  }

  /**
   * Lets the best record of an attempt count. It takes all records of it, from the whole journal.
   */
  void resolve(UUID attempt, Collection<Located> everywhere) {
    if (!doubtful.remove(attempt)) {
      return;
    }
    List<Located> known =
        everywhere.stream()
            .filter(it -> it.position().sequence() <= readUpTo(it.position().segment()))
            .sorted(Located.BEST_FIRST)
            .toList();
    if (known.isEmpty()) {
      return;
    }
    Located best = known.getFirst();
    known.stream()
        .filter(it -> !it.equals(best) && !skipped.contains(it.position()))
        .forEach(it -> take(attempt, it.record(), it.position()));
    if (skipped.remove(best.position())) {
      change(best.record(), 1);
    }
    if (isKnown(attempt)) {
      window.put(attempt, best.position());
      if (best.record().status() == UsageRecord.Status.UNKNOWN) {
        unknown.put(attempt, best.record());
      }
    }
    open.remove(attempt);
  }

  /**
   * What of an append is not in the journal yet.
   *
   * @param settled of the attempts that an earlier answer called unsure, those that the journal has
   *     a real record of; absent when nobody has looked yet
   */
  Sifted sift(List<UsageRecord> records, List<StartedEntry> started, @Nullable Set<UUID> settled) {
    Map<UUID, UsageRecord> fresh = new LinkedHashMap<>();
    Set<UUID> unsure = new LinkedHashSet<>();
    for (UsageRecord record : records) {
      UUID attempt = AttemptId.parse(record.attempt());
      if (window.containsKey(attempt)) {
        if (unknown.containsKey(attempt) && record.status() != UsageRecord.Status.UNKNOWN) {
          fresh.putIfAbsent(attempt, record);
        }
      } else if (isKnown(attempt) || isSureOpen(attempt)) {
        fresh.putIfAbsent(attempt, record);
      } else if (settled == null) {
        unsure.add(attempt);
      } else if (!settled.contains(attempt)) {
        fresh.putIfAbsent(attempt, record);
      }
    }
    Map<UUID, StartedEntry> starts = new LinkedHashMap<>();
    for (StartedEntry entry : started) {
      UUID attempt = AttemptId.parse(entry.attempt());
      if (!window.containsKey(attempt)
          && !open.containsKey(attempt)
          && !fresh.containsKey(attempt)
          && (settled == null || !settled.contains(attempt))) {
        if (!isKnown(attempt) && settled == null) {
          unsure.add(attempt);
        }
        starts.putIfAbsent(attempt, entry);
      }
    }
    return new Sifted(List.copyOf(fresh.values()), List.copyOf(starts.values()), unsure);
  }

  private boolean isSureOpen(UUID attempt) {
    OpenStart start = open.get(attempt);
    return start != null && start.sure();
  }

  /** Starts that nobody settled in the time of the longest run, as records, oldest first. */
  List<UsageRecord> abandoned(Instant now) {
    long before = now.toEpochMilli() - rules.unknownAfterMillis();
    return open.values().stream()
        .filter(start -> start.entry().timeMillis() <= before)
        .limit(LedgerRules.ABANDONED_AT_ONCE_MAX)
        .map(start -> UsageRecord.unknown(start.entry()))
        .toList();
  }

  long readUpTo(long segment) {
    return segments.upTo(segment);
  }

  /** Each segment that was read, and up to which sequence number. */
  Map<Long, Long> read() {
    return segments.all();
  }

  /** The heads of chains that the next opening has to name. */
  Map<Long, String> heads() {
    return segments.unnamed();
  }

  Map<Long, Long> headsUpTo() {
    return segments.unnamedUpTo();
  }

  /** Where the chain of a segment stands that this ledger writes. */
  @Nullable String head(long segment) {
    return segments.head(segment);
  }

  boolean isSkipped(Position position) {
    return skipped.contains(position);
  }

  Set<Position> skipped() {
    return Set.copyOf(skipped);
  }

  @Nullable Position positionOf(UUID attempt) {
    return window.get(attempt);
  }

  @Nullable StartedEntry openStart(UUID attempt) {
    OpenStart start = open.get(attempt);
    return start == null ? null : start.entry();
  }

  List<StartedEntry> openStarts() {
    return open.values().stream().map(OpenStart::entry).toList();
  }

  /** The latest attempts that have a real record, as many at most, oldest first. */
  List<String> settledLately(int max) {
    return window.descendingKeySet().stream()
        .filter(attempt -> !unknown.containsKey(attempt))
        .limit(max)
        .map(UUID::toString)
        .toList()
        .reversed();
  }

  Totals totals() {
    return totals;
  }

  ZoneId zone() {
    return months.zone();
  }

  MonthUse month(Instant now) {
    return months.use(now);
  }

  List<SecondUse> lastMinute(Instant now) {
    return lastMinute.use(now);
  }

  /** What each key used in this month and in the last minute. */
  Map<String, LedgerReply.KeyUsed> keys(Instant now) {
    return keys.use(now);
  }

  List<UsageRow> rows(Bucket bucket, Instant from, Instant to, GroupBy groupBy) {
    return rollups.rows(bucket, from, to, groupBy);
  }

  int windowSize() {
    return window.size();
  }

  LedgerSnapshot snapshot(Instant now) {
    LedgerSnapshot snapshot = new LedgerSnapshot();
    Map<String, Integer> names = new LinkedHashMap<>();
    snapshot.version = LedgerSnapshot.VERSION;
    snapshot.zone = months.zone().getId();
    snapshot.timeMillis = now.toEpochMilli();
    snapshot.totals = totals;
    segments.pack(snapshot);
    snapshot.newestMillis = rollups.newestMillis();
    snapshot.minutes = rollups.pack(Bucket.MINUTE, names);
    snapshot.hours = rollups.pack(Bucket.HOUR, names);
    snapshot.days = rollups.pack(Bucket.DAY, names);
    Instant newest = Instant.ofEpochMilli(Math.max(0, rollups.newestMillis()));
    snapshot.keyMonths = keys.packMonths(newest, names);
    snapshot.keyMinutes = keys.packLastMinutes(newest, names);
    snapshot.names = List.copyOf(names.keySet());
    snapshot.months = months.pack();
    snapshot.lastMinute = lastMinute.pack();
    snapshot.knownSinceMillis = knownSinceMillis;
    snapshot.attempts = Packed.attempts(window);
    snapshot.skipped = Packed.rows(skipped);
    snapshot.doubtful = doubtful.stream().map(UUID::toString).toList();
    snapshot.open = openStarts();
    List<String> unsure = new ArrayList<>();
    open.forEach(
        (attempt, start) -> {
          if (!start.sure()) {
            unsure.add(attempt.toString());
          }
        });
    snapshot.unsure = List.copyOf(unsure);
    snapshot.unknown = List.copyOf(unknown.values());
    return snapshot;
  }

  /** The state that a snapshot holds; absent when it is of another version or time zone. */
  static @Nullable LedgerState restore(LedgerRules rules, ZoneId zone, LedgerSnapshot snapshot) {
    if (snapshot.version != LedgerSnapshot.VERSION || !snapshot.zone.equals(zone.getId())) {
      return null;
    }
    LedgerState state = new LedgerState(rules, zone);
    state.totals = snapshot.totals;
    state.segments.unpack(snapshot);
    state.rollups.unpack(Bucket.MINUTE, snapshot.minutes, snapshot.names, snapshot.newestMillis);
    state.rollups.unpack(Bucket.HOUR, snapshot.hours, snapshot.names, snapshot.newestMillis);
    state.rollups.unpack(Bucket.DAY, snapshot.days, snapshot.names, snapshot.newestMillis);
    state.months.unpack(snapshot.months);
    state.lastMinute.unpack(snapshot.lastMinute);
    state.keys.unpack(snapshot.keyMonths, snapshot.keyMinutes, snapshot.names);
    state.knownSinceMillis = snapshot.knownSinceMillis;
    Packed.readAttempts(snapshot.attempts, state.window);
    Packed.readRows(snapshot.skipped, state.skipped);
    snapshot.doubtful.forEach(attempt -> state.doubtful.add(AttemptId.parse(attempt)));
    Set<String> unsure = Set.copyOf(snapshot.unsure);
    snapshot.open.forEach(
        entry ->
            state.open.put(
                AttemptId.parse(entry.attempt()),
                new OpenStart(entry, !unsure.contains(entry.attempt()))));
    snapshot.unknown.forEach(
        record -> state.unknown.put(AttemptId.parse(record.attempt()), record));
    state.forget();
    return state;
  }
}
