package dev.rowhouse.tenant;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of a tenant's record, as {@link SealedEvent}.
 *
 * @param tenant the tenant without its words
 */
// The array is written once, and compared by what is in it.
@SuppressWarnings("ArrayRecordComponent")
public record SealedTenant(Tenant tenant, int serializer, String manifest, byte[] sealed) {
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof SealedTenant that
        && tenant.equals(that.tenant)
        && serializer == that.serializer
        && manifest.equals(that.manifest)
        && Arrays.equals(sealed, that.sealed);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sealed);
  }
}
