package dev.rowhouse.tenant;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An event of a tenant's record as the journal keeps it when somebody's words are in it.
 *
 * @param event the event without those words: all that is left when the key is destroyed
 * @param serializer the number of the serializer that wrote what is sealed
 * @param manifest the class of the event, for that serializer and its migrations
 * @param sealed the whole event, {@link DataKey.Purpose#TENANT_EVENT}
 */
// The array is written once, and compared by what is in it.
@SuppressWarnings("ArrayRecordComponent")
public record SealedEvent(TenantEvent event, int serializer, String manifest, byte[] sealed) {
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof SealedEvent that
        && event.equals(that.event)
        && serializer == that.serializer
        && manifest.equals(that.manifest)
        && Arrays.equals(sealed, that.sealed);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sealed);
  }
}
