package dev.rowhouse.retrieval;

import dev.rowhouse.tenant.TenantId;

/** The right to search one tenant's stores. Replaced when the retrieval room lands. */
public record RetrievalHandle(TenantId tenant) {}
