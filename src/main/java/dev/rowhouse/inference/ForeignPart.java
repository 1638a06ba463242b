package dev.rowhouse.inference;

import dev.rowhouse.tenant.TenantId;

/**
 * A part of one tenant was about to enter the prompt of another. It is a bug, so the run ends
 * without an answer; the message names tenants only, never content.
 */
public final class ForeignPart extends RuntimeException {
  public ForeignPart(TenantId promptOf, TenantId partOf) {
    super("a part of tenant " + partOf + " in a prompt of tenant " + promptOf);
  }
}
