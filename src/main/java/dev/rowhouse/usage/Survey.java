package dev.rowhouse.usage;

import dev.rowhouse.tenant.TenantId;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What one reading of a tenant's journal found: which rows there are, and which records of them do
 * not count because another tells of their attempt better.
 *
 * @param read the sequence number up to which each segment was read
 * @param skipped where the records stand that do not count
 * @param records how many count and are in the time range
 * @param faults rows that could not be read; without them the figures are not whole
 */
public record Survey(
    TenantId tenant,
    TimeRange range,
    Map<Long, Long> read,
    Set<Position> skipped,
    long records,
    List<RowFault> faults) {
  public Survey {
    read = Map.copyOf(read);
    skipped = Set.copyOf(skipped);
    faults = List.copyOf(faults);
  }

  public boolean isWhole() {
    return faults.isEmpty();
  }
}
