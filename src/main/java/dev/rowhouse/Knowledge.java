package dev.rowhouse;

import com.typesafe.config.Config;
import dev.rowhouse.retrieval.BgeEmbedder;
import dev.rowhouse.retrieval.IndexDirectories;
import dev.rowhouse.retrieval.KnowledgeEntity;
import dev.rowhouse.retrieval.KnowledgeErasure;
import dev.rowhouse.retrieval.UnfinishedUploads;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** What a node has of its tenants' knowledge: the way to it, and what is in its own directory. */
record Knowledge(
    BgeEmbedder embedder,
    IndexDirectories indexes,
    ActorRef<ShardingEnvelope<KnowledgeEntity.Command>> region) {

  static Knowledge open(Foundation base) {
    Config config = base.config().getConfig("rowhouse.retrieval");
    BgeEmbedder embedder = BgeEmbedder.shared(config.getInt("embedder.permits"));
    // In the background: the first question must not wait for the model to load.
    base.blocking().execute(() -> embedder.embedQuery("warm"));
    IndexDirectories indexes =
        IndexDirectories.start(
            base.system(),
            base.storage(),
            base.blocking(),
            base.clock(),
            config,
            base.data().path());
    ActorRef<ShardingEnvelope<KnowledgeEntity.Command>> region =
        KnowledgeEntity.init(
            ClusterSharding.get(base.system()),
            base.storage(),
            base.keys(),
            embedder,
            config,
            indexes);
    UnfinishedUploads.start(base.system(), base.storage(), base.blocking(), base.clock(), config);
    return new Knowledge(embedder, indexes, region);
  }

  KnowledgeErasure erasure(Foundation base) {
    return new KnowledgeErasure(
        base.system(),
        region,
        base.storage(),
        base.blocking(),
        indexes,
        base.config().getDuration("rowhouse.http.ask-timeout"));
  }
}
