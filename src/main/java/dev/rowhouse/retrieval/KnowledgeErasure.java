package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.ErasureTarget;
import dev.rowhouse.tenant.TenantId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;

/** What a tenant knew, for its erasure: files, stores, chunks, and the directories of indexes. */
public final class KnowledgeErasure implements ErasureTarget {
  private final ActorSystem<?> system;
  private final ActorRef<ShardingEnvelope<KnowledgeEntity.Command>> region;
  private final Storage storage;
  private final Executor blocking;
  private final IndexDirectories directories;
  private final Duration askTimeout;

  /**
   * @param directories of this node's indexes
   */
  public KnowledgeErasure(
      ActorSystem<?> system,
      ActorRef<ShardingEnvelope<KnowledgeEntity.Command>> region,
      Storage storage,
      Executor blocking,
      IndexDirectories directories,
      Duration askTimeout) {
    this.system = system;
    this.region = region;
    this.storage = storage;
    this.blocking = blocking;
    this.directories = directories;
    this.askTimeout = askTimeout;
  }

  @Override
  public String name() {
    return "knowledge";
  }

  @Override
  public CompletionStage<Map<String, Long>> count(TenantId tenant) {
    return CompletableFuture.supplyAsync(
        () -> {
          DocumentStore.Holdings held = DocumentStore.holdings(storage, tenant);
          return Map.of(
              "files",
              held.files(),
              "file_bytes",
              held.fileBytes(),
              "vector_stores",
              held.stores(),
              "chunks",
              held.chunks(),
              "index_directories",
              directories(tenant));
        },
        blocking);
  }

  /** Of this node; where the tenant lives elsewhere, its indexes do, too. */
  private long directories(TenantId tenant) {
    Path root = directories.of(tenant);
    if (!Files.isDirectory(root)) {
      return 0;
    }
    try (Stream<Path> stores = Files.list(root)) {
      return stores.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public CompletionStage<?> erase(TenantId tenant) {
    return AskPattern.<ShardingEnvelope<KnowledgeEntity.Command>, KnowledgeReply>ask(
            region,
            replyTo -> new ShardingEnvelope<>(tenant.value(), new KnowledgeEntity.Erase(replyTo)),
            askTimeout,
            system.scheduler())
        .thenCompose(
            reply ->
                reply instanceof KnowledgeReply.Erased
                    ? CompletableFuture.completedFuture(reply)
                    : CompletableFuture.failedFuture(
                        new IllegalStateException("documents are not erased: " + reply)));
  }
}
