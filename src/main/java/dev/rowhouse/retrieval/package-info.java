/**
 * What a tenant knows: its files, its vector stores, and the search over them.
 *
 * <p>Everything durable (files, chunks, embeddings) lies in tables of the house's storage, SQL or
 * Apache Cassandra; the Lucene directories under {@code <data-dir>/index/<tenant>/<store>} are
 * projections of it that may be lost at any time. A file is {@code completed} in the same
 * transaction that raises its store's change sequence, and a search first brings its index up to
 * that sequence, so what is reported as completed is found, or the search says that it is busy; it
 * never answers with a part.
 *
 * <p>An index follows its tenant's shard. Each directory carries, in its last commit, the store's
 * incarnation and the number of the last change it has seen. A node that gets the tenant, with an
 * empty directory or one of an earlier time, applies what is missing, removals too, or builds it
 * anew, before the first search is answered; a search that would wait longer than {@code
 * catch-up-timeout} is refused as busy, which becomes 503 with Retry-After. A copy that a tenant
 * has left behind on a node is removed after some time ({@link
 * dev.rowhouse.retrieval.IndexDirectories}).
 *
 * <p>A disk that is full stops no ingestion, which only needs the storage; it stops the searches
 * whose index has to follow, in the same way and until there is room ({@link
 * dev.rowhouse.retrieval.TenantIndex}).
 *
 * <p>On SQL a change is a transaction. On Cassandra a store with its files and its numbered changes
 * is one partition, changed by one lightweight transaction that asks for the revision it has read;
 * the bytes of a file, and the chunks of a file in a store, are partitions that are written once,
 * under a name that no other attempt has, and removed as a whole. A deletion first marks its row,
 * which is when the thing is gone for everybody, and then removes the rest; a note that was written
 * before lets a later sweep finish what a crash interrupted ({@link
 * dev.rowhouse.retrieval.CqlDoubts}).
 *
 * <p>A tenant is chosen once, when an object is made: {@link dev.rowhouse.retrieval.DocumentStore},
 * {@link dev.rowhouse.retrieval.TenantIndex} and {@link dev.rowhouse.retrieval.KnowledgeEntity}
 * each belong to one, and none of their operations takes a tenant. A worker searches through a
 * {@link dev.rowhouse.retrieval.RetrievalHandle}, which can be sent but not read.
 *
 * <p>Read {@link dev.rowhouse.retrieval.KnowledgeEntity} first, then {@link
 * dev.rowhouse.retrieval.DocumentStore} and {@link dev.rowhouse.retrieval.StoreIndex}.
 */
@NullMarked
package dev.rowhouse.retrieval;

import org.jspecify.annotations.NullMarked;
