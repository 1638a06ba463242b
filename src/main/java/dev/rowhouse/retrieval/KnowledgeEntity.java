package dev.rowhouse.retrieval;

import com.typesafe.config.Config;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sharded actor that owns files, stores and search of one tenant, which is the entity's id; no
 * message names a tenant.
 *
 * <p>It computes nothing itself: each request runs on the blocking dispatcher, at most so many at a
 * time, changes one after the other. Files that are in progress are ingested a step at a time; the
 * queue is the table, so that a start after a crash goes on where it was. While it is idle it
 * leaves memory, and comes back with the next request.
 */
public final class KnowledgeEntity extends AbstractBehavior<KnowledgeEntity.Command> {
  public static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "knowledge");

  static final String BLOCKING_DISPATCHER = "rowhouse.blocking-dispatcher";

  public sealed interface Command {}

  /** A request from outside; it is always answered. */
  public sealed interface Request extends Command {
    ActorRef<KnowledgeReply> replyTo();
  }

  /** A request that changes something: one at a time, in order. */
  public sealed interface Change extends Request {}

  /** Opens an upload; the same request id opens the same. Answer: UploadReady. */
  public record BeginUpload(
      String requestId, String filename, String purpose, ActorRef<KnowledgeReply> replyTo)
      implements Change {}

  /** A piece, at most 128 KiB, ordinals from 0. Answer: PieceStored. */
  // The array is the payload of a message and is never compared.
  @SuppressWarnings("ArrayRecordComponent")
  public record AppendUpload(
      String uploadId, int ordinal, byte[] content, ActorRef<KnowledgeReply> replyTo)
      implements Request {}

  /** All pieces are sent. Answer: FileFound. */
  public record FinishUpload(String uploadId, int pieces, ActorRef<KnowledgeReply> replyTo)
      implements Change {}

  public record GetFile(String fileId, ActorRef<KnowledgeReply> replyTo) implements Request {}

  public record ListFiles(
      PageRequest page, @Nullable String purpose, ActorRef<KnowledgeReply> replyTo)
      implements Request {}

  /** Answer: FilePiece; ask for 0 first, then for the others. */
  public record FileContent(String fileId, int ordinal, ActorRef<KnowledgeReply> replyTo)
      implements Request {}

  /** Removes the file, from its stores too. */
  public record DeleteFile(String fileId, ActorRef<KnowledgeReply> replyTo) implements Change {}

  public record CreateStore(
      String requestId,
      String name,
      Map<String, String> metadata,
      @Nullable Integer expiresAfterDays,
      ActorRef<KnowledgeReply> replyTo)
      implements Change {}

  public record GetStore(String storeId, ActorRef<KnowledgeReply> replyTo) implements Request {}

  public record ListStores(PageRequest page, ActorRef<KnowledgeReply> replyTo) implements Request {}

  /** What is null stays; {@code expiresAfterDays} 0 means never. */
  public record UpdateStore(
      String storeId,
      @Nullable String name,
      @Nullable Map<String, String> metadata,
      @Nullable Integer expiresAfterDays,
      ActorRef<KnowledgeReply> replyTo)
      implements Change {}

  public record DeleteStore(String storeId, ActorRef<KnowledgeReply> replyTo) implements Change {}

  /** Again for the same file is nothing new, unless it had failed or was cancelled. */
  public record AttachFile(
      String storeId,
      String fileId,
      Map<String, Object> attributes,
      ChunkingStrategy chunking,
      ActorRef<KnowledgeReply> replyTo)
      implements Change {}

  public record GetStoreFile(String storeId, String fileId, ActorRef<KnowledgeReply> replyTo)
      implements Request {}

  public record ListStoreFiles(
      String storeId,
      PageRequest page,
      @Nullable FileStatus status,
      ActorRef<KnowledgeReply> replyTo)
      implements Request {}

  /** Replaces the attributes; they count from the next search on. */
  public record UpdateStoreFile(
      String storeId,
      String fileId,
      Map<String, Object> attributes,
      ActorRef<KnowledgeReply> replyTo)
      implements Change {}

  public record DetachFile(String storeId, String fileId, ActorRef<KnowledgeReply> replyTo)
      implements Change {}

  /** Answer: ContentPage; ask for 0 first, then from nextOrdinal. */
  public record StoreFileContent(
      String storeId, String fileId, int fromOrdinal, ActorRef<KnowledgeReply> replyTo)
      implements Request {}

  public record CreateBatch(
      String requestId,
      String storeId,
      List<String> fileIds,
      Map<String, Object> attributes,
      ChunkingStrategy chunking,
      ActorRef<KnowledgeReply> replyTo)
      implements Change {}

  public record GetBatch(String storeId, String batchId, ActorRef<KnowledgeReply> replyTo)
      implements Request {}

  public record ListBatchFiles(
      String storeId,
      String batchId,
      PageRequest page,
      @Nullable FileStatus status,
      ActorRef<KnowledgeReply> replyTo)
      implements Request {}

  public record CancelBatch(String storeId, String batchId, ActorRef<KnowledgeReply> replyTo)
      implements Change {}

  /**
   * Answer: Found.
   *
   * @param scoreMin results below it are left out; 0 for all. See {@link Passage}
   */
  public record Search(
      String query,
      List<String> storeIds,
      int topK,
      @Nullable AttributeFilter filter,
      double scoreMin,
      ActorRef<KnowledgeReply> replyTo)
      implements Request {}

  /** Removes everything of this tenant: tables and directories. Answer: Erased. */
  public record Erase(ActorRef<KnowledgeReply> replyTo) implements Change {}

  /** The stop message: refuse newcomers, let what runs end, close the indexes. */
  public record Retire() implements Command {}

  private record Answered(Request request, KnowledgeReply reply) implements Command {}

  record Looked(@Nullable Ingestion job, boolean failed) implements Command {}

  /** The outcome is null when the step broke. */
  record Stepped(Ingestion job, Ingestion.@Nullable Outcome outcome) implements Command {}

  record Look() implements Command {}

  private record Tick() implements Command {}

  private record Waiting(Request request, Instant since) {}

  private record StopTimedOut() implements Command {}

  private record Closed() implements Command {}

  private static final Logger LOG = LoggerFactory.getLogger(KnowledgeEntity.class);
  private static final Duration BUSY_RETRY = Duration.ofSeconds(1);

  private final TenantKnowledge knowledge;
  private final IngestionPump ingestion;
  private final RetrievalSettings.Entity settings;
  private final TimerScheduler<Command> timers;
  private final InstantSource clock;
  private final ActorRef<ClusterSharding.ShardCommand> shard;
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  private int operations;
  private @Nullable Erase erase;
  private boolean erasing;
  private boolean retiring;
  private boolean closing;
  private Instant lastUsed;
  private CompletionStage<?> lastChange = CompletableFuture.completedFuture("nothing yet");

  private KnowledgeEntity(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      TenantKnowledge knowledge,
      IngestionGate gate,
      RetrievalSettings settings,
      InstantSource clock,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    super(context);
    this.timers = timers;
    this.knowledge = knowledge;
    this.ingestion = new IngestionPump(context, timers, knowledge, gate, settings.ingest());
    this.settings = settings.entity();
    this.clock = clock;
    this.shard = shard;
    this.lastUsed = clock.instant();
    timers.startTimerWithFixedDelay(new Tick(), settings.entity().tick());
    ingestion.look();
  }

  /**
   * Registers the entity on this node; the tables must exist.
   *
   * @param config {@code rowhouse.retrieval}
   * @param directories of this node's indexes
   */
  public static ActorRef<ShardingEnvelope<Command>> init(
      ClusterSharding sharding,
      Storage storage,
      DataKeys keys,
      Embedder embedder,
      Config config,
      IndexDirectories directories) {
    RetrievalSettings settings = RetrievalSettings.from(config);
    IngestionGate gate = new IngestionGate(settings.ingest().nodeParallelMax());
    return sharding.init(
        Entity.of(
                KEY,
                entity ->
                    create(
                        new TenantId(entity.getEntityId()),
                        storage,
                        keys,
                        embedder,
                        gate,
                        settings,
                        directories,
                        entity.getShard()))
            .withRole(settings.entity().role())
            .withStopMessage(new Retire()));
  }

  private static Behavior<Command> create(
      TenantId tenant,
      Storage storage,
      DataKeys keys,
      Embedder embedder,
      IngestionGate gate,
      RetrievalSettings settings,
      IndexDirectories directories,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  InstantSource clock = InstantSource.system();
                  Executor blocking =
                      context
                          .getSystem()
                          .dispatchers()
                          .lookup(DispatcherSelector.fromConfig(BLOCKING_DISPATCHER));
                  TenantKnowledge knowledge =
                      new TenantKnowledge(
                          tenant, storage, keys, embedder, settings, directories, blocking, clock);
                  return new KnowledgeEntity(
                      context, timers, knowledge, gate, settings, clock, shard);
                }));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Command.class, this::on)
        .onSignal(PostStop.class, _ -> stopped())
        .build();
  }

  private Behavior<Command> on(Command command) {
    return switch (command) {
      case Request request -> admit(request);
      case Answered answered -> answer(answered);
      case Look _ -> {
        ingestion.look();
        yield this;
      }
      case Looked looked -> {
        ingestion.on(looked);
        yield whenQuiet();
      }
      case Stepped stepped -> {
        ingestion.on(stepped);
        yield whenQuiet();
      }
      case Tick _ -> tick();
      case Retire _ -> retire();
      case StopTimedOut _ -> close();
      case Closed _ -> Behaviors.stopped();
    };
  }

  private Behavior<Command> admit(Request request) {
    lastUsed = clock.instant();
    if (retiring || erase != null || waiting.size() >= settings.waitingMax()) {
      request.replyTo().tell(new KnowledgeReply.Busy(BUSY_RETRY.toMillis()));
      return this;
    }
    if (operations >= settings.operationsMax()) {
      waiting.add(new Waiting(request, lastUsed));
      return this;
    }
    return begin(request);
  }

  /** Those that waited too long are gone: who asked does not wait any more. */
  private void beginWaiting() {
    Instant oldest = clock.instant().minus(settings.waitingTimeout());
    boolean closed = retiring || erase != null;
    while (!waiting.isEmpty() && (closed || operations < settings.operationsMax())) {
      Waiting next = waiting.remove();
      if (closed || next.since().isBefore(oldest)) {
        next.request().replyTo().tell(new KnowledgeReply.Busy(BUSY_RETRY.toMillis()));
      } else {
        begin(next.request());
      }
    }
  }

  private Behavior<Command> begin(Request request) {
    switch (request) {
      case Erase all -> {
        // What runs may write: it ends first, and meanwhile nothing else begins.
        erase = all;
        beginWaiting();
        ingestion.pause();
        return whenQuiet();
      }
      case Change change -> {
        var next = lastChange.handle((_, _) -> change).thenCompose(knowledge::answer);
        lastChange = next;
        run(change, next);
      }
      case Request read -> run(read, knowledge.answer(read));
    }
    return this;
  }

  private void run(Request request, CompletionStage<KnowledgeReply> answer) {
    operations++;
    getContext()
        .pipeToSelf(answer, (reply, failure) -> new Answered(request, outcome(reply, failure)));
  }

  private static KnowledgeReply outcome(
      @Nullable KnowledgeReply reply, @Nullable Throwable failure) {
    if (reply != null) {
      return reply;
    }
    LOG.warn("an operation failed", failure);
    return new KnowledgeReply.Unavailable(BUSY_RETRY.toMillis());
  }

  private Behavior<Command> answer(Answered answered) {
    operations--;
    answered.request().replyTo().tell(answered.reply());
    if (answered.request() instanceof Erase) {
      erase = null;
      erasing = false;
      ingestion.resume();
    }
    if (answered.request() instanceof AttachFile || answered.request() instanceof CreateBatch) {
      ingestion.look();
    }
    beginWaiting();
    return whenQuiet();
  }

  private Behavior<Command> tick() {
    Instant now = clock.instant();
    knowledge.closeIdle(now);
    if (operations == 0
        && ingestion.isIdle()
        && lastUsed.plus(settings.passivateAfter()).isBefore(now)) {
      shard.tell(new ClusterSharding.Passivate<>(getContext().getSelf()));
    }
    return this;
  }

  private Behavior<Command> retire() {
    retiring = true;
    beginWaiting();
    ingestion.pause();
    timers.startSingleTimer(new StopTimedOut(), settings.stopTimeout());
    return whenQuiet();
  }

  /** What waits for everything else to end: an erasure, then the stop. */
  private Behavior<Command> whenQuiet() {
    if (operations > 0 || !waiting.isEmpty() || !ingestion.isQuiet()) {
      return this;
    }
    Erase all = erase;
    if (all != null && !erasing) {
      erasing = true;
      run(all, knowledge.answer(all));
      return this;
    }
    return retiring ? close() : this;
  }

  private Behavior<Command> close() {
    if (!closing) {
      closing = true;
      getContext().pipeToSelf(knowledge.close(), (_, _) -> new Closed());
    }
    return this;
  }

  private Behavior<Command> stopped() {
    ingestion.stopped();
    return this;
  }
}
