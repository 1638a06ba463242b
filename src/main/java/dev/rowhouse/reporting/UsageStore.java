package dev.rowhouse.reporting;

import com.typesafe.config.Config;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Located;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * The tables of this room: all that depends on where they lie. Calls block.
 *
 * <p>On SQL each call is a transaction. On Cassandra each leaves the tables right at every step, or
 * in doubt, and may be repeated.
 */
sealed interface UsageStore permits SqlUsageStore, CqlUsageStore {

  /** Opens the tables, and makes them on SQL where they are missing. */
  static UsageStore open(Storage storage, Config config, ReportingSettings settings) {
    return switch (storage) {
      case Database database -> new SqlUsageStore(database, settings);
      case Cassandra cassandra ->
          new CqlUsageStore(cassandra, CqlJournal.of(cassandra, config), settings);
    };
  }

  /** Old rows that can be added up by hour. */
  record Fold(String tenant, Runnable work) {}

  /** The newest event of a segment's chain. */
  record Head(String tenant, long segment, long sequence, String hash) {}

  /** Takes in events of one tenant; what is there already changes nothing. */
  void write(String tenant, List<Placed> events, InstantSource clock);

  UsageReports.Answer answer(UsageQuestion question, long nowMillis);

  /** Whatever was written before that and has a tag is in the tables. */
  long asOfMillis(long nowMillis);

  /** Some tenants in doubt, the longest first. */
  List<String> doubtful(int max);

  /** Ends a doubt that is not newer than that. */
  void endDoubt(TenantId tenant, long readAtMillis);

  /**
   * What the tables say of a tenant.
   *
   * @param claimed the segments that the Fence knows
   */
  TenantFigures figures(TenantId tenant, Collection<Long> claimed, long nowMillis);

  /**
   * Replaces all that stands at or before the places up to which the figures go, rows of later
   * events stay; and ends the doubt.
   *
   * @param bySegment what the ledger has there
   * @param doubled the records of it that must not count
   */
  void rebuild(
      TenantId tenant,
      TenantFigures figures,
      Map<Long, Map<Group, Sums>> bySegment,
      List<Located> doubled,
      long readAtMillis);

  /** Forgets what is needed no longer. */
  void tidy(Instant now);

  /** What has rows of hours before that one, some at a time. */
  List<Fold> due(long beforeHour, int max);

  /** Segments that have changed since their heads were told, some at a time. */
  List<Head> changedHeads(int max);

  /** These were told. */
  void anchored(List<Head> heads);

  /** Erases the ids of a tenant's keys and attempts, now and for good; the sums stay. */
  void erase(TenantId tenant, long nowMillis);

  /** How many ids of keys and of attempts there are of a tenant. */
  Map<String, Long> identified(TenantId tenant);

  /** The names of {@link #identified}. */
  static Map<String, Long> identified(long keys, long attempts) {
    return Map.of("usage_key_ids", keys, "usage_attempt_ids", attempts);
  }
}
