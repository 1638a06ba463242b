package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.retrieval.DocumentStore.Holdings;
import dev.rowhouse.retrieval.DocumentStore.Removed;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.time.InstantSource;

/**
 * The documents of one tenant on Cassandra.
 *
 * <p>What must change together is in one partition ({@link CqlStores}); what takes several steps is
 * ordered so that a crash leaves what nobody can see, and a sweep removes it ({@link CqlDoubts}).
 */
final class CqlDocumentStore {
  private CqlDocumentStore() {}

  static DocumentStore open(Cassandra cassandra, TenantId tenant, DataKeys keys) {
    return open(cassandra, tenant, keys, InstantSource.system());
  }

  static DocumentStore open(
      Cassandra cassandra, TenantId tenant, DataKeys keys, InstantSource clock) {
    CqlDoubts doubts = new CqlDoubts(cassandra, clock);
    CqlStores stores = new CqlStores(cassandra, tenant, doubts);
    CqlStoreFiles storeFiles = new CqlStoreFiles(cassandra, tenant, stores, doubts);
    CqlFiles files = new CqlFiles(cassandra, tenant, storeFiles, doubts);
    CqlBatchTable batches = new CqlBatchTable(cassandra, stores, storeFiles, tenant);
    return new DocumentStore(
        tenant,
        new CqlFileTable(files, tenant, keys),
        new CqlStoreTable(stores, tenant, keys),
        new CqlStoreFileTable(stores, storeFiles, files, batches, tenant, keys),
        new CqlChunkTable(cassandra, stores, storeFiles, tenant, keys),
        batches,
        () -> erase(stores, files));
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

  private static Removed erase(CqlStores stores, CqlFiles files) {
    Holdings held = holdings(stores, files);
    for (String store : stores.ids()) {
      var _ = stores.delete(store);
    }
    files.removeAll();
    return new Removed(held.files(), held.stores(), held.chunks());
  }
}
