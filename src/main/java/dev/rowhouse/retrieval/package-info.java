/**
 * What a tenant knows: its files, its vector stores, and the search over them.
 *
 * <p>Everything durable (files, chunks, embeddings) lies in tables of the journal's database; the
 * Lucene directories under {@code <data-dir>/index/<tenant>/<store>} are projections of it that may
 * be lost at any time. A file is {@code completed} in the same transaction that raises its store's
 * change sequence, and a search first brings its index up to that sequence, so what is reported as
 * completed is found, or the search says that it is busy; it never answers with a part.
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
