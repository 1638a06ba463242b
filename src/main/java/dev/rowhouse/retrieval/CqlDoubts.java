package dev.rowhouse.retrieval;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Notes of what a node may leave behind when it dies between two steps, of all tenants.
 *
 * <p>A note is written before an upload begins and before the owner of a partition of pieces or
 * chunks goes. When it is old enough for every write of then to have ended, a sweep compares it
 * with what is there, removes what nobody owns, and takes the note away. Sweeps may run side by
 * side on several nodes, and a note may be looked at twice.
 */
final class CqlDoubts {
  /** Partitions of an hour; 16,000 uploads an hour are 1,000 rows in each. */
  private static final int SHARDS = 16;

  private static final int NOTES_PER_READ = 200;

  /** Notes that one sweep looks at: most uploads were finished and cost one read. */
  private static final int NOTES_PER_SWEEP_MAX = 20_000;

  /** Hours that one sweep looks at; a house that stood still has more, and takes several. */
  private static final int HOURS_PER_SWEEP_MAX = 1_000;

  private static final long HOUR_MILLIS = Duration.ofHours(1).toMillis();

  private final Cassandra cassandra;
  private final InstantSource clock;

  CqlDoubts(Cassandra cassandra, InstantSource clock) {
    this.cassandra = cassandra;
    this.clock = clock;
  }

  /** What is in doubt. */
  enum Kind {
    /** Whether the upload was finished; the part is its content. */
    UPLOAD,
    /** Whether the file was deleted everywhere; the part is its content. */
    FILE,
    /** Whether chunks still belong to a file of a store; the part is the attempt. */
    CHUNKS,
    /** Whether a store was deleted wholly; the part is its incarnation. */
    STORE
  }

  void write(String tenant, Kind kind, String id, String file, UUID part) {
    write(tenant, kind, id, file, part, clock.instant());
  }

  void write(String tenant, Kind kind, String id, String file, UUID part, Instant at) {
    long hour = hour(at);
    // The hour first: a note in an hour that nobody knows would never be found.
    cassandra.execute(
        "insert into rowhouse_knowledge_doubt_hours (house, hour) values (0, ?)", hour);
    cassandra.execute(
        "insert into rowhouse_knowledge_doubts"
            + " (hour, shard, at, tenant, doubt, kind, id, file_id, part)"
            + " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        hour,
        Math.floorMod(part.hashCode(), SHARDS),
        at,
        tenant,
        UUID.randomUUID(),
        kind.name(),
        id,
        file,
        part);
  }

  private static long hour(Instant at) {
    return Math.floorDiv(at.toEpochMilli(), HOUR_MILLIS);
  }

  /** Looks at the notes before that time; returns how many unfinished uploads it removed. */
  int sweep(Instant limit, int uploadsMax) {
    int removed = 0;
    int looked = 0;
    for (Row row :
        cassandra.all(
            "select hour from rowhouse_knowledge_doubt_hours where house = 0 and hour <= ?"
                + " limit ?",
            hour(limit),
            HOURS_PER_SWEEP_MAX)) {
      long hour = row.getLong("hour");
      for (int shard = 0; shard < SHARDS; shard++) {
        List<Row> notes;
        do {
          notes =
              cassandra.all(
                  "select at, tenant, doubt, kind, id, file_id, part from rowhouse_knowledge_doubts"
                      + " where hour = ? and shard = ? and at < ? limit ?",
                  hour,
                  shard,
                  limit,
                  NOTES_PER_READ);
          for (Row note : notes) {
            if (removed >= uploadsMax || looked >= NOTES_PER_SWEEP_MAX) {
              return removed;
            }
            looked++;
            removed += look(note) ? 1 : 0;
            cassandra.execute(
                "delete from rowhouse_knowledge_doubts"
                    + " where hour = ? and shard = ? and at = ? and tenant = ? and doubt = ?",
                hour,
                shard,
                note.getInstant("at"),
                note.getString("tenant"),
                note.getUuid("doubt"));
          }
        } while (notes.size() == NOTES_PER_READ);
      }
      if (hour < hour(limit)) {
        forget(hour);
      }
    }
    return removed;
  }

  /** An hour that is past and empty goes as a whole, with what its rows left. */
  private void forget(long hour) {
    for (int shard = 0; shard < SHARDS; shard++) {
      cassandra.execute(
          "delete from rowhouse_knowledge_doubts where hour = ? and shard = ?", hour, shard);
    }
    cassandra.execute(
        "delete from rowhouse_knowledge_doubt_hours where house = 0 and hour = ?", hour);
  }

  /** Whether it was an unfinished upload, which is gone now. */
  private boolean look(Row note) {
    TenantId tenant = new TenantId(text(note, "tenant"));
    String id = text(note, "id");
    String file = text(note, "file_id");
    UUID part = Objects.requireNonNull(note.getUuid("part"), "a note names a part");
    CqlStores stores = new CqlStores(cassandra, tenant, this);
    CqlStoreFiles storeFiles = new CqlStoreFiles(cassandra, tenant, stores, this);
    CqlFiles files = new CqlFiles(cassandra, tenant, storeFiles, this);
    return switch (Kind.valueOf(text(note, "kind"))) {
      case UPLOAD, FILE -> files.mend(id, part);
      case CHUNKS -> {
        storeFiles.mend(id, file, part);
        yield false;
      }
      case STORE -> {
        stores.mend(id, part);
        yield false;
      }
    };
  }

  private static String text(Row row, String column) {
    @Nullable String value = row.getString(column);
    return value == null ? "" : value;
  }
}
