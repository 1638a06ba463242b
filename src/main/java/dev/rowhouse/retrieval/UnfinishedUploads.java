package dev.rowhouse.retrieval;

import com.typesafe.config.Config;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.journal.Storage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes the uploads of all tenants that nobody finished. A tenant's own next upload would do so
 * only when it has too many, and perhaps there is none. Several nodes may do it at once.
 *
 * <p>On Cassandra it looks at all that a node may have left behind when it died ({@link
 * CqlDoubts}).
 */
public final class UnfinishedUploads {
  private static final Logger LOG = LoggerFactory.getLogger(UnfinishedUploads.class);

  private final Storage storage;
  private final InstantSource clock;
  private final Duration timeout;
  private final int uploadsMax;

  UnfinishedUploads(Storage storage, InstantSource clock, Duration timeout, int uploadsMax) {
    this.storage = storage;
    this.clock = clock;
    this.timeout = timeout;
    this.uploadsMax = uploadsMax;
  }

  /**
   * Looks for them as long as the system runs; the tables must exist.
   *
   * @param config {@code rowhouse.retrieval}
   */
  public static Cancellable start(
      ActorSystem<?> system,
      Storage storage,
      Executor blocking,
      InstantSource clock,
      Config config) {
    Config files = config.getConfig("files");
    UnfinishedUploads uploads =
        new UnfinishedUploads(
            storage,
            clock,
            files.getDuration("upload-timeout"),
            files.getInt("uploads-per-sweep-max"));
    Duration every = files.getDuration("upload-sweep-every");
    return system
        .scheduler()
        .scheduleWithFixedDelay(
            every, every, () -> blocking.execute(uploads::sweepOrWarn), system.executionContext());
  }

  private void sweepOrWarn() {
    try {
      sweep();
    } catch (StorageFailure | JournalException e) {
      LOG.warn("unfinished uploads could not be removed; the next look comes", e);
    }
  }

  /** Removes some of them; returns how many. */
  int sweep() {
    Instant limit = clock.instant().minus(timeout);
    return switch (storage) {
      case Database database -> sweep(database, limit);
      case Cassandra cassandra -> new CqlDoubts(cassandra, clock).sweep(limit, uploadsMax);
    };
  }

  private int sweep(Database database, Instant limit) {
    return Sql.transaction(
        database,
        sql -> {
          List<Upload> uploads =
              sql.query(
                  "SELECT tenant, id FROM knowledge_files WHERE status = ? AND created_at < ?"
                      + " LIMIT ?",
                  row -> new Upload(row.getString(1), row.getString(2)),
                  FileTable.UPLOADING,
                  limit.toEpochMilli(),
                  uploadsMax);
          int removed = 0;
          for (Upload upload : uploads) {
            // First the file, and only as an upload: it may have been finished meanwhile.
            if (sql.update(
                    "DELETE FROM knowledge_files WHERE tenant = ? AND id = ? AND status = ?",
                    upload.tenant(),
                    upload.id(),
                    FileTable.UPLOADING)
                == 1) {
              sql.update(
                  "DELETE FROM knowledge_pieces WHERE tenant = ? AND file_id = ?",
                  upload.tenant(),
                  upload.id());
              removed++;
            }
          }
          return removed;
        });
  }

  private record Upload(String tenant, String id) {}
}
