/** What a tenant knows: documents, chunks, embeddings and a physical index per tenant. */
@NullMarked
package dev.rowhouse.retrieval;

import org.jspecify.annotations.NullMarked;
