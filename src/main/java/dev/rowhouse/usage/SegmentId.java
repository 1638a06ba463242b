package dev.rowhouse.usage;

import dev.rowhouse.tenant.TenantId;

/** Whose segment a persistence id is: {@code usage|<tenant>|<number>}. */
public record SegmentId(TenantId tenant, long number) {
  private static final int PARTS = 3;

  /** Reads a persistence id of a ledger; throws when it is another's. */
  public static SegmentId of(String persistenceId) {
    String[] parts = persistenceId.split("\\|", -1);
    if (parts.length != PARTS || !parts[0].equals("usage")) {
      throw new IllegalArgumentException("no segment of a ledger: " + persistenceId);
    }
    return new SegmentId(new TenantId(parts[1]), Long.parseLong(parts[2]));
  }

  /** The name under which the Fence counts the segments of a tenant. */
  public static String fenceName(TenantId tenant) {
    return SegmentReader.fenceName(tenant);
  }

  /** With what the name of every ledger at the Fence begins; the tenant follows. */
  public static String fencePrefix() {
    return "usage|";
  }

  public String persistenceId() {
    return SegmentReader.persistenceId(tenant, number);
  }
}
