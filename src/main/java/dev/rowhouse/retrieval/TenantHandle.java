package dev.rowhouse.retrieval;

import dev.rowhouse.tenant.TenantId;

/** The one kind of handle; its content is seen in this room only. */
record TenantHandle(TenantId tenant) implements RetrievalHandle {
  @Override
  public String toString() {
    return "RetrievalHandle";
  }
}
