package dev.rowhouse.retrieval;

import dev.rowhouse.tenant.DataKey;
import dev.rowhouse.tenant.DataKey.Purpose;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.nio.charset.StandardCharsets;

/**
 * What seals and opens the rows of one tenant, for one operation. It is asked for before the
 * operation's transaction, because a key that is not remembered needs a connection of its own.
 *
 * <p>Rows of the time before data keys are read as they are: a text without the prefix of a sealed
 * one, bytes without its head.
 */
final class Sealer {
  private final DataKey key;

  private Sealer(DataKey key) {
    this.key = key;
  }

  /** Blocks; of a tenant whose key is destroyed nothing is read or written. */
  static Sealer of(DataKeys keys, TenantId tenant) {
    return switch (keys.find(tenant)) {
      case DataKeys.Held(DataKey key) -> new Sealer(key);
      case DataKeys.None _ -> new Sealer(keys.obtain(tenant));
      case DataKeys.Destroyed _ ->
          throw new StorageFailure("the documents of " + tenant + " are erased", null);
    };
  }

  String seal(Purpose purpose, String text) {
    return key.seal(purpose, text);
  }

  byte[] seal(Purpose purpose, byte[] bytes) {
    return key.seal(purpose, bytes);
  }

  String open(Purpose purpose, String text) {
    return DataKey.isSealed(text)
        ? new String(opened(key.open(purpose, text)), StandardCharsets.UTF_8)
        : text;
  }

  byte[] open(Purpose purpose, byte[] bytes) {
    return key.looksSealed(bytes) ? opened(key.open(purpose, bytes)) : bytes;
  }

  private byte[] opened(DataKey.Opening opening) {
    return switch (opening) {
      case DataKey.Opened opened -> opened.bytes();
      case DataKey.KeyDestroyed _, DataKey.Damaged _ ->
          throw new StorageFailure(
              "a document of " + key.tenant() + " does not open under its data key", null);
    };
  }
}
