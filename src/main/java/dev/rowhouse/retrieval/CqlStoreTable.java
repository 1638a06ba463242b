package dev.rowhouse.retrieval;

import dev.rowhouse.retrieval.CqlStores.Head;
import dev.rowhouse.retrieval.CqlStores.Named;
import dev.rowhouse.retrieval.CqlStores.Step;
import dev.rowhouse.tenant.DataKey.Purpose;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Stores on Cassandra. */
final class CqlStoreTable implements StoreTable {
  private final CqlStores stores;
  private final TenantId owner;
  private final DataKeys keys;

  CqlStoreTable(CqlStores stores, TenantId tenant, DataKeys keys) {
    this.stores = stores;
    this.owner = tenant;
    this.keys = keys;
  }

  @Override
  public void create(
      String id,
      String name,
      Map<String, String> metadata,
      @Nullable Integer expiresAfterDays,
      Instant now) {
    Sealer sealer = Sealer.of(keys, owner);
    stores.create(
        id,
        sealer.seal(Purpose.STORE_NAME, name),
        sealer.seal(Purpose.STORE_METADATA, Attributes.write(metadata)),
        expiresAfterDays,
        now);
  }

  @Override
  public long count() {
    return stores.all().size();
  }

  @Override
  public @Nullable VectorStore get(String id) {
    Sealer sealer = Sealer.of(keys, owner);
    Head head = stores.head(id);
    return head == null ? null : read(id, head, sealer);
  }

  @Override
  public @Nullable Page<VectorStore> list(PageRequest page) {
    Sealer sealer = Sealer.of(keys, owner);
    Page<Named> named =
        Pages.of(stores.all(), _ -> true, one -> one.head().createdAt(), Named::id, page);
    return named == null
        ? null
        : new Page<>(
            named.items().stream().map(one -> read(one.id(), one.head(), sealer)).toList(),
            named.hasMore());
  }

  @Override
  public void update(
      String id, String name, Map<String, String> metadata, @Nullable Integer expiresAfterDays) {
    Sealer sealer = Sealer.of(keys, owner);
    String sealedName = sealer.seal(Purpose.STORE_NAME, name);
    String sealedMetadata = sealer.seal(Purpose.STORE_METADATA, Attributes.write(metadata));
    var _ =
        stores.change(
            id,
            false,
            head ->
                new Step.Write<>(
                    head.named(sealedName, sealedMetadata, expiresAfterDays), List.of(), true));
  }

  @Override
  public void touch(String id, Instant now) {
    var _ = stores.change(id, false, head -> new Step.Write<>(head.usedAt(now), List.of(), true));
  }

  @Override
  public boolean delete(String id) {
    return stores.delete(id);
  }

  /** At the serial level: an index that has seen this version must have seen its changes. */
  @Override
  public @Nullable Version version(String id) {
    Head head = stores.headSerial(id);
    return head == null
        ? null
        : new Version(head.incarnation().toString(), head.changes(), head.pruned());
  }

  @Override
  public List<Change> changes(String id, long after, int limit) {
    return stores.changes(id, after, limit);
  }

  private static VectorStore read(String id, Head head, Sealer sealer) {
    return new VectorStore(
        id,
        sealer.open(Purpose.STORE_NAME, head.name()),
        Attributes.readMetadata(sealer.open(Purpose.STORE_METADATA, head.metadata())),
        head.createdAt(),
        head.lastActiveAt(),
        head.expiresDays(),
        head.counts(),
        head.usageBytes());
  }
}
