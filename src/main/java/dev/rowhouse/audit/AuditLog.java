package dev.rowhouse.audit;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.Storage;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/** The log as the other rooms see it. */
public final class AuditLog {
  private final ActorSystem<?> system;
  private final AuditTable table;
  private final Executor blocking;
  private final @Nullable AuditHeadFile file;
  private final AuditSettings settings;
  private final AtomicBoolean measuring = new AtomicBoolean();
  private volatile AuditHead seen = AuditHead.GENESIS;
  private volatile @Nullable ActorRef<AuditKeeper.Command> keeper;

  /** An entry could not be written, or nobody knows whether it was. */
  public static final class Unavailable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unavailable(String message) {
      super(message);
    }
  }

  private AuditLog(
      ActorSystem<?> system,
      AuditTable table,
      Executor blocking,
      @Nullable AuditHeadFile file,
      AuditSettings settings) {
    this.system = system;
    this.table = table;
    this.blocking = blocking;
    this.file = file;
    this.settings = settings;
  }

  /**
   * Opens the log; makes its tables, and blocks for it.
   *
   * @param directory where the file with the head is; absent: there is none
   */
  public static AuditLog open(
      ActorSystem<?> system,
      Storage storage,
      Executor blocking,
      @Nullable Path directory,
      AuditSettings settings) {
    return new AuditLog(
        system,
        AuditTable.open(storage),
        blocking,
        directory == null ? null : new AuditHeadFile(directory),
        settings);
  }

  /** The writer, to be run as a singleton. */
  public Behavior<AuditKeeper.Command> keeper(Fence fence, InstantSource clock, String self) {
    return AuditKeeper.create(table, fence, blocking, file, clock, settings, self);
  }

  /** Says where the writer is. Until then nothing can be written. */
  public void through(ActorRef<AuditKeeper.Command> writer) {
    keeper = writer;
  }

  /** Adds an entry; the stage ends when it is on disk, or fails with {@link Unavailable}. */
  public CompletionStage<AuditHead> append(AuditDraft draft) {
    ActorRef<AuditKeeper.Command> writer = keeper;
    if (writer == null) {
      return CompletableFuture.failedFuture(new Unavailable("the audit log is not open yet"));
    }
    return AskPattern.<AuditKeeper.Command, AuditKeeper.Reply>ask(
            writer,
            replyTo -> new AuditKeeper.Append(draft, replyTo),
            settings.writeTimeout(),
            system.scheduler())
        .handle(
            (reply, failure) ->
                switch (reply) {
                  case AuditKeeper.Appended appended -> appended.head();
                  case AuditKeeper.NotAppended not -> throw new Unavailable(not.reason());
                  case null -> throw new Unavailable("the audit log does not answer");
                });
  }

  /** Entries by number. */
  public CompletionStage<List<AuditEntry>> read(AuditQuery query) {
    return CompletableFuture.supplyAsync(() -> table.read(query), blocking);
  }

  /** A check of the whole chain, to be gone through. */
  public AuditVerification verification() {
    return new AuditVerification(table, blocking, file);
  }

  /** The newest anchors of ledgers after a persistence id, in order, at most so many. */
  public CompletionStage<Map<String, AuditHead>> anchors(String after, int limit) {
    return CompletableFuture.supplyAsync(() -> table.anchors(after, limit), blocking);
  }

  /** The head as it was when somebody last asked; it is read anew, and nobody waits for it. */
  public AuditHead head() {
    if (measuring.compareAndSet(false, true)) {
      CompletionStage<AuditHead> read = CompletableFuture.supplyAsync(table::last, blocking);
      read.whenComplete(
          (head, failure) -> {
            seen = head == null ? seen : head;
            measuring.set(false);
          });
    }
    return seen;
  }
}
