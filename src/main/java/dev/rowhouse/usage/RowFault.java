package dev.rowhouse.usage;

import dev.rowhouse.tenant.TenantId;

/**
 * A row of the journal that cannot be read, or is not there.
 *
 * @param sequence its sequence number in the segment
 * @param reason what is wrong with it, in one line
 */
public record RowFault(TenantId tenant, long segment, long sequence, String reason) {
  private static final int REASON_LENGTH_MAX = 300;

  public RowFault {
    reason = reason.replaceAll("\\s+", " ").strip();
    if (reason.length() > REASON_LENGTH_MAX) {
      reason = reason.substring(0, REASON_LENGTH_MAX) + "...";
    }
  }
}
