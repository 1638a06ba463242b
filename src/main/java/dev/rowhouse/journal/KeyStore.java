package dev.rowhouse.journal;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where wrapped keys lie: beside the event journal and never in it, because a journal forgets
 * nothing and a destroyed key must be gone.
 *
 * <p>A tenant has one row for each generation of its data key. Destroying takes the wrapped key out
 * of the row and leaves the row, so that nothing sealed under it is ever mistaken for damage, and
 * the next key is another generation. The house's own keys are in a table beside it. What is stored
 * is opaque here: it is wrapped by the master key, which this room never sees. Calls block.
 */
public sealed interface KeyStore permits SqlKeyStore, CqlKeyStore {
  /** A keyset of one key is some 150 bytes; one that was rotated often still fits. */
  int WRAPPED_BYTES_MAX = 64 * 1024;

  /** Opens the store, and makes its tables on SQL where there are none. */
  static KeyStore open(Storage storage) {
    return switch (storage) {
      case Database database -> SqlKeyStore.open(database);
      case Cassandra cassandra -> new CqlKeyStore(cassandra);
    };
  }

  /**
   * One generation of a tenant's data key.
   *
   * @param wrapped absent: destroyed
   */
  // The array is written once and compared by nobody.
  @SuppressWarnings("ArrayRecordComponent")
  record Generation(
      String tenant,
      int generation,
      byte @Nullable [] wrapped,
      Instant createdAt,
      @Nullable Instant destroyedAt) {}

  /** The latest generations of those that have any. */
  List<Generation> latest(Collection<String> tenants);

  /** The latest generation of that tenant's key; absent: it never had one. */
  default @Nullable Generation latest(String tenant) {
    List<Generation> rows = latest(List.of(tenant));
    return rows.isEmpty() ? null : rows.getFirst();
  }

  /** Adds a generation; false when somebody else was first. */
  boolean add(String tenant, int generation, byte[] wrapped, Instant now);

  /** Takes the key out of every row of that tenant; a row that has none keeps its time. */
  void destroy(String tenant, Instant now);

  /** Whether any tenant has a key that is not destroyed. */
  boolean holdsKeys();

  /** A key of the house by its name. */
  byte @Nullable [] house(String name);

  /** Adds a key of the house; false when somebody else was first. */
  boolean addHouse(String name, byte[] wrapped, Instant now);

  static void requireFits(byte[] wrapped) {
    if (wrapped.length > WRAPPED_BYTES_MAX) {
      throw new IllegalArgumentException("a wrapped key of " + wrapped.length + " bytes");
    }
  }
}
