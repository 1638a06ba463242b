package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.time.InstantSource;

/**
 * The documents of one tenant on Cassandra.
 *
 * <p>What must change together is in one partition ({@link CqlStores}); what takes several steps is
 * ordered so that a crash leaves what nobody can see, and a sweep removes it ({@link CqlDoubts}).
 */
final class CqlDocumentStore implements DocumentStore {
  private final TenantId owner;
  private final CqlStores cqlStores;
  private final CqlFiles cqlFiles;
  private final FileTable files;
  private final StoreTable stores;
  private final StoreFileTable storeFiles;
  private final ChunkTable chunks;
  private final CqlBatchTable batches;

  CqlDocumentStore(Cassandra cassandra, TenantId tenant, DataKeys keys) {
    this(cassandra, tenant, keys, InstantSource.system());
  }

  CqlDocumentStore(Cassandra cassandra, TenantId tenant, DataKeys keys, InstantSource clock) {
    this.owner = tenant;
    CqlDoubts doubts = new CqlDoubts(cassandra, clock);
    this.cqlStores = new CqlStores(cassandra, tenant, doubts);
    CqlStoreFiles cqlStoreFiles = new CqlStoreFiles(cassandra, tenant, cqlStores, doubts);
    this.cqlFiles = new CqlFiles(cassandra, tenant, cqlStoreFiles, doubts);
    this.files = new CqlFileTable(cqlFiles, tenant, keys);
    this.stores = new CqlStoreTable(cqlStores, tenant, keys);
    this.batches = new CqlBatchTable(cassandra, cqlStores, cqlStoreFiles, tenant);
    this.storeFiles =
        new CqlStoreFileTable(cqlStores, cqlStoreFiles, cqlFiles, batches, tenant, keys);
    this.chunks = new CqlChunkTable(cassandra, cqlStores, cqlStoreFiles, tenant, keys);
  }

  @Override
  public TenantId tenant() {
    return owner;
  }

  @Override
  public FileTable files() {
    return files;
  }

  @Override
  public StoreTable stores() {
    return stores;
  }

  @Override
  public StoreFileTable storeFiles() {
    return storeFiles;
  }

  @Override
  public ChunkTable chunks() {
    return chunks;
  }

  @Override
  public BatchTable batches() {
    return batches;
  }

  /** Chunks are those of completed files. What a crash left behind goes with a sweep. */
  static Holdings holdings(Cassandra cassandra, TenantId tenant) {
    CqlDoubts doubts = new CqlDoubts(cassandra, InstantSource.system());
    CqlStores stores = new CqlStores(cassandra, tenant, doubts);
    CqlStoreFiles storeFiles = new CqlStoreFiles(cassandra, tenant, stores, doubts);
    return holdings(stores, new CqlFiles(cassandra, tenant, storeFiles, doubts));
  }

  static boolean hasStores(Cassandra cassandra, TenantId tenant) {
    CqlDoubts doubts = new CqlDoubts(cassandra, InstantSource.system());
    return !new CqlStores(cassandra, tenant, doubts).ids().isEmpty();
  }

  private static Holdings holdings(CqlStores stores, CqlFiles files) {
    long chunks = 0;
    long storeCount = 0;
    for (CqlStores.Named store : stores.all()) {
      storeCount++;
      chunks += store.head().chunks();
    }
    long fileCount = 0;
    long bytes = 0;
    for (CqlFiles.FileRow file : files.all()) {
      fileCount++;
      bytes += file.sizeBytes();
    }
    return new Holdings(fileCount, bytes, storeCount, chunks);
  }

  @Override
  public Removed erase() {
    Holdings held = holdings(cqlStores, cqlFiles);
    for (String store : cqlStores.ids()) {
      var _ = cqlStores.delete(store);
    }
    cqlFiles.removeAll();
    return new Removed(held.files(), held.stores(), held.chunks());
  }
}
