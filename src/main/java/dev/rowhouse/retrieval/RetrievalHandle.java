package dev.rowhouse.retrieval;

/**
 * A reference to what one tenant knows. It can be sent to a worker and given to {@link
 * Retrieval#search}, and to nothing else: whoever holds it can search this tenant and no other, and
 * cannot make another out of it.
 */
public sealed interface RetrievalHandle permits TenantHandle {}
