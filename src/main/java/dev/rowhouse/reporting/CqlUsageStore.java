package dev.rowhouse.reporting;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.reporting.CqlCorrections.Correction;
import dev.rowhouse.reporting.CqlHours.Place;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Located;
import dev.rowhouse.usage.Position;
import dev.rowhouse.usage.SegmentId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The tables on Cassandra. There are no locks and no transactions over several rows: rows are
 * inserted under the place of their event, an hour is replaced whole ({@link CqlHours}), and so are
 * a tenant's corrections.
 */
final class CqlUsageStore implements UsageStore {
  /** All hours that there are. */
  private static final long FIRST_HOUR = Long.MIN_VALUE;

  private static final long LAST_HOUR = Long.MAX_VALUE;

  /** Figures are read again when an hour was folded meanwhile. */
  private static final int READS_MAX = 5;

  /** An event without a trace in its tag after that is late, and reconciliation finds it. */
  private static final Duration QUIET_AFTER = Duration.ofMinutes(10);

  private final Cassandra cassandra;
  private final CqlJournal journal;
  private final ReportingSettings settings;
  private final CqlHours hours;
  private final CqlFolding folding;
  private final CqlCorrections corrections;
  private final CqlRowWriter writer;
  private final CqlAnswers answers;

  CqlUsageStore(Cassandra cassandra, CqlJournal journal, ReportingSettings settings) {
    this.cassandra = cassandra;
    this.journal = journal;
    this.settings = settings;
    this.hours = new CqlHours(cassandra);
    this.folding = new CqlFolding(cassandra, hours);
    this.corrections = new CqlCorrections(cassandra);
    this.writer = new CqlRowWriter(cassandra, settings.unknownKept());
    this.answers = new CqlAnswers(cassandra, hours, corrections, settings);
  }

  @Override
  public void write(String tenant, List<Placed> events, InstantSource clock) {
    writer.write(tenant, events, isErased(tenant), clock);
  }

  /** The events of a tag up to that one are in the tables. */
  void move(String tag, UUID place) {
    journal.move(tag, place);
  }

  @Override
  public UsageReports.Answer answer(UsageQuestion question, long nowMillis) {
    return answers.answer(question, journal.asOfMillis(nowMillis));
  }

  @Override
  public long asOfMillis(long nowMillis) {
    return journal.asOfMillis(nowMillis);
  }

  @Override
  public List<String> doubtful(int max) {
    return CqlDoubts.tenants(cassandra, max);
  }

  @Override
  public void endDoubt(TenantId tenant, long readAtMillis) {
    CqlDoubts.end(cassandra, tenant.value(), readAtMillis);
  }

  @Override
  public TenantFigures figures(TenantId tenant, Collection<Long> claimed, long nowMillis) {
    long dueMillis = journal.asOfMillis(nowMillis) - settings.grace().toMillis();
    for (int reads = 0; reads < READS_MAX; reads++) {
      TenantFigures figures =
          figures(tenant, claimed, dueMillis, corrections.version(tenant.value()));
      Map<Long, Long> upTo = figures.upTo();
      if (hours.folded(tenant.value()).entrySet().stream()
          .allMatch(it -> it.getValue() <= upTo.getOrDefault(it.getKey(), 0L))) {
        return figures;
      }
    }
    throw new JournalException("the usage of " + tenant + " was folded while it was read", null);
  }

  private TenantFigures figures(
      TenantId tenant, Collection<Long> claimed, long dueMillis, @Nullable UUID version) {
    String name = tenant.value();
    Map<Long, Long> upTo = new TreeMap<>(hours.folded(name));
    writer.marks(name, 0).values().forEach(it -> upTo.merge(it.segment(), it.seen(), Math::max));
    Map<Long, Sums> bySegment = new TreeMap<>();
    upTo.keySet().forEach(segment -> bySegment.put(segment, Sums.NONE));
    for (long segment : claimed) {
      long seen = upTo.getOrDefault(segment, 0L);
      upTo.put(segment, journal.due(new SegmentId(tenant, segment), seen, dueMillis));
    }
    hours.each(
        name,
        FIRST_HOUR,
        LAST_HOUR,
        upTo,
        (place, sums) -> bySegment.merge(place.segment(), sums, Sums::plus));
    Sums all = bySegment.values().stream().reduce(Sums.NONE, Sums::plus);
    List<Sums> corrected = new ArrayList<>();
    corrections.each(name, (group, sums) -> corrected.add(sums));
    return new TenantFigures(
        bySegment,
        corrected.stream().reduce(all, Sums::plus),
        // An hour is what was folded into it.
        Sums.NONE,
        Sums.NONE,
        upTo,
        CqlDoubts.reason(cassandra, name),
        version);
  }

  @Override
  public void rebuild(
      TenantId tenant,
      TenantFigures figures,
      Map<Long, Map<Group, Sums>> bySegment,
      List<Located> doubled,
      long readAtMillis) {
    String name = tenant.value();
    boolean isErased = isErased(name);
    Map<Long, Map<Place, Sums>> ledger = new TreeMap<>();
    bySegment.forEach(
        (segment, groups) ->
            groups.forEach(
                (group, sums) -> {
                  Place place = new Place(segment, isErased ? group.withoutKey() : group);
                  add(ledger, place, sums);
                }));
    Map<Long, Map<Place, Sums>> tables = new TreeMap<>();
    hours.each(
        name, FIRST_HOUR, LAST_HOUR, figures.upTo(), (place, sums) -> add(tables, place, sums));
    Set<Long> changed = hours.open(name, FIRST_HOUR, LAST_HOUR);
    changed.addAll(tables.keySet());
    changed.addAll(ledger.keySet());
    Set<Long> open = hours.open(name, FIRST_HOUR, LAST_HOUR);
    for (long hour : changed) {
      Map<Place, Sums> right = ledger.getOrDefault(hour, Map.of());
      if (open.contains(hour) || !right.equals(tables.getOrDefault(hour, Map.of()))) {
        writer.noteMonth(name, hour);
        folding.replace(name, hour, right, figures.upTo());
      }
    }
    Map<Position, Correction> taken = new LinkedHashMap<>();
    for (Located located : doubled) {
      Group group = Group.of(located.record());
      taken.put(
          located.position(),
          new Correction(
              isErased ? group.withoutKey() : group, Sums.of(located.record()).negated()));
    }
    corrections.replace(name, figures.version(), taken, folding);
    mark(name, figures.upTo());
    endDoubt(tenant, readAtMillis);
  }

  private static void add(Map<Long, Map<Place, Sums>> byHour, Place place, Sums sums) {
    byHour
        .computeIfAbsent(place.group().hour(), _ -> new HashMap<>())
        .merge(place, sums, Sums::plus);
  }

  private void mark(String tenant, Map<Long, Long> upTo) {
    long newest = upTo.keySet().stream().mapToLong(Long::longValue).max().orElse(0);
    Map<Long, SegmentMark> before = writer.marks(tenant, 0);
    List<SegmentMark> after = new ArrayList<>();
    upTo.forEach(
        (segment, read) ->
            after.add(
                before
                    .getOrDefault(segment, SegmentMark.fresh(segment, UsageTables.NOT_SEALED))
                    .withSeen(read, null)
                    .withSealed(segment < newest ? read : UsageTables.NOT_SEALED)));
    writer.save(tenant, before, after);
  }

  @Override
  public void tidy(Instant now) {
    journal.skipQuiet(now.minus(QUIET_AFTER).toEpochMilli(), now.toEpochMilli());
  }

  @Override
  public List<Fold> due(long beforeHour, int max) {
    List<Fold> due = new ArrayList<>();
    for (int bucket = 0; bucket < CqlFolding.BUCKETS && due.size() < max; bucket++) {
      Set<String> known = new HashSet<>();
      for (Row row :
          cassandra.execute(
              "select tenant, usage_hour from rowhouse_usage_due"
                  + " where bucket = ? and usage_hour < ? limit ?",
              bucket,
              beforeHour,
              max - due.size())) {
        String tenant = String.valueOf(row.getString(0));
        long hour = row.getLong(1);
        if (known.add(hour + " " + tenant)) {
          due.add(new Fold(tenant, () -> folding.fold(tenant, hour, isErased(tenant))));
        }
      }
    }
    return due;
  }

  @Override
  public List<Head> changedHeads(int max) {
    Map<String, Head> heads = new LinkedHashMap<>();
    for (int bucket = 0; bucket < CqlFolding.BUCKETS && heads.size() < max; bucket++) {
      for (Row row :
          cassandra.execute(
              "select tenant, segment, seen, head from rowhouse_usage_heads where bucket = ?"
                  + " limit ?",
              bucket,
              max - heads.size())) {
        Head head =
            new Head(
                String.valueOf(row.getString(0)),
                row.getLong(1),
                row.getLong(2),
                String.valueOf(row.getString(3)));
        heads.merge(
            head.tenant() + "|" + head.segment(),
            head,
            (one, other) -> one.sequence() > other.sequence() ? one : other);
      }
    }
    return List.copyOf(heads.values());
  }

  @Override
  public void anchored(List<Head> heads) {
    for (Head head : heads) {
      for (Row row :
          cassandra.all(
              "select writer, seen, writetime(seen) from rowhouse_usage_heads"
                  + " where bucket = ? and tenant = ? and segment = ?",
              CqlFolding.bucket(head.tenant()),
              head.tenant(),
              head.segment())) {
        if (row.getLong(1) <= head.sequence()) {
          // What its writer wrote meanwhile is newer by the writer's own clock, and stays.
          cassandra.execute(
              "delete from rowhouse_usage_heads using timestamp ?"
                  + " where bucket = ? and tenant = ? and segment = ? and writer = ?",
              row.getLong(2),
              CqlFolding.bucket(head.tenant()),
              head.tenant(),
              head.segment(),
              row.getUuid(0));
        }
      }
    }
  }

  private boolean isErased(String tenant) {
    return cassandra.one("select tenant from rowhouse_usage_erased where tenant = ?", tenant)
        != null;
  }

  @Override
  public void erase(TenantId tenant, long nowMillis) {
    String name = tenant.value();
    cassandra.execute(
        "insert into rowhouse_usage_erased (tenant, since_millis) values (?, ?)", name, nowMillis);
    for (long hour : hours.hours(name, FIRST_HOUR, LAST_HOUR)) {
      folding.fold(name, hour, true);
    }
    UUID version = corrections.version(name);
    Map<Position, Correction> without = new LinkedHashMap<>();
    corrections
        .all(name)
        .forEach((at, it) -> without.put(at, new Correction(it.group().withoutKey(), it.sums())));
    corrections.replace(name, version, without, folding);
    cassandra.execute("delete from rowhouse_usage_unknowns where tenant = ?", name);
  }

  @Override
  public Map<String, Long> identified(TenantId tenant) {
    String name = tenant.value();
    Set<String> keys = new HashSet<>();
    hours.each(name, FIRST_HOUR, LAST_HOUR, (place, sums) -> keys.add(place.group().keyId()));
    corrections.each(name, (group, sums) -> keys.add(group.keyId()));
    keys.remove(Erased.KEY);
    Row attempts =
        cassandra.one("select count(*) from rowhouse_usage_unknowns where tenant = ?", name);
    return UsageStore.identified(keys.size(), attempts == null ? 0 : attempts.getLong(0));
  }
}
