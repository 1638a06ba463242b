package dev.rowhouse.retrieval;

import dev.rowhouse.retrieval.CqlStoreFiles.Brief;
import dev.rowhouse.retrieval.CqlStoreFiles.FileRow;
import dev.rowhouse.retrieval.CqlStores.Head;
import dev.rowhouse.retrieval.CqlStores.Named;
import dev.rowhouse.tenant.DataKey.Purpose;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Files of stores on Cassandra. */
final class CqlStoreFileTable implements StoreFileTable {
  private final CqlStores stores;
  private final CqlStoreFiles storeFiles;
  private final CqlFiles files;
  private final CqlBatchTable batches;
  private final TenantId owner;
  private final DataKeys keys;

  CqlStoreFileTable(
      CqlStores stores,
      CqlStoreFiles storeFiles,
      CqlFiles files,
      CqlBatchTable batches,
      TenantId tenant,
      DataKeys keys) {
    this.stores = stores;
    this.storeFiles = storeFiles;
    this.files = files;
    this.batches = batches;
    this.owner = tenant;
    this.keys = keys;
  }

  @Override
  public void attach(
      String store,
      List<String> fileIds,
      Map<String, Object> attributes,
      ChunkingStrategy chunking,
      Instant now) {
    storeFiles.attach(store, fileIds, sealed(attributes), chunking, now);
  }

  private String sealed(Map<String, Object> attributes) {
    return Sealer.of(keys, owner).seal(Purpose.FILE_ATTRIBUTES, Attributes.write(attributes));
  }

  @Override
  public @Nullable StoreFile get(String store, String file) {
    Sealer sealer = Sealer.of(keys, owner);
    FileRow row = storeFiles.get(store, file);
    return row == null ? null : read(store, row, sealer);
  }

  @Override
  public long count(String store) {
    Head head = stores.head(store);
    return head == null ? 0 : head.counts().total();
  }

  @Override
  public int countOf(String store, List<String> fileIds) {
    return storeFiles.get(store, fileIds).size();
  }

  @Override
  public @Nullable Page<StoreFile> list(
      String store, @Nullable String batch, @Nullable FileStatus status, PageRequest page) {
    Sealer sealer = Sealer.of(keys, owner);
    Set<String> inBatch = batch == null ? null : batches.files(batch, store);
    Page<Brief> briefs =
        Pages.of(
            storeFiles.briefs(store),
            brief ->
                (status == null || brief.status() == status)
                    && (inBatch == null || inBatch.contains(brief.id())),
            Brief::attachedAt,
            Brief::id,
            page);
    return briefs == null
        ? null
        : new Page<>(whole(store, briefs.items(), sealer), briefs.hasMore());
  }

  /** In the order of the briefs; what has gone meanwhile is left out. */
  private List<StoreFile> whole(String store, List<Brief> briefs, Sealer sealer) {
    Map<String, FileRow> rows = new HashMap<>();
    storeFiles
        .get(store, briefs.stream().map(Brief::id).toList())
        .forEach(row -> rows.put(row.id(), row));
    List<StoreFile> whole = new ArrayList<>();
    for (Brief brief : briefs) {
      FileRow row = rows.get(brief.id());
      if (row != null) {
        whole.add(read(store, row, sealer));
      }
    }
    return whole;
  }

  private record Waiting(String store, Brief file) {}

  @Override
  public List<StoreFile> inProgress(int limit) {
    List<Waiting> waiting = new ArrayList<>();
    for (Named store : stores.all()) {
      if (store.head().counts().inProgress() > 0) {
        for (Brief file : storeFiles.briefs(store.id())) {
          if (file.status() == FileStatus.IN_PROGRESS) {
            waiting.add(new Waiting(store.id(), file));
          }
        }
      }
    }
    if (waiting.isEmpty()) {
      // Of a tenant that was erased nothing is in progress, and there is no key to ask for.
      return List.of();
    }
    Sealer sealer = Sealer.of(keys, owner);
    waiting.sort(
        Comparator.comparing((Waiting one) -> one.file().attachedAt())
            .thenComparing(one -> one.file().id()));
    List<StoreFile> oldest = new ArrayList<>();
    for (Waiting one : waiting) {
      if (oldest.size() == limit) {
        break;
      }
      FileRow row = storeFiles.get(one.store(), one.file().id());
      if (row != null && row.status() == FileStatus.IN_PROGRESS) {
        oldest.add(read(one.store(), row, sealer));
      }
    }
    return oldest;
  }

  @Override
  public long inProgressCount() {
    return stores.all().stream().mapToLong(store -> store.head().counts().inProgress()).sum();
  }

  @Override
  public void updateAttributes(String store, String file, Map<String, Object> attributes) {
    storeFiles.updateAttributes(store, file, sealed(attributes));
  }

  @Override
  public boolean complete(String store, String file, long usageBytes) {
    return storeFiles.complete(store, file, usageBytes);
  }

  @Override
  public void fail(String store, String file, FileError error) {
    storeFiles.end(store, List.of(file), FileStatus.FAILED, error);
  }

  @Override
  public void cancel(String store, String file) {
    storeFiles.end(store, List.of(file), FileStatus.CANCELLED, null);
  }

  @Override
  public boolean detach(String store, String file) {
    return storeFiles.detach(store, file);
  }

  @Override
  public Map<String, Entry> entries(String store) {
    Sealer sealer = Sealer.of(keys, owner);
    List<String> completed =
        storeFiles.briefs(store).stream()
            .filter(brief -> brief.status() == FileStatus.COMPLETED)
            .map(Brief::id)
            .toList();
    Map<String, CqlFiles.FileRow> names = files.processed(completed);
    Map<String, Entry> entries = new HashMap<>();
    for (FileRow row : storeFiles.get(store, completed)) {
      CqlFiles.FileRow named = names.get(row.id());
      if (named != null && row.status() == FileStatus.COMPLETED) {
        entries.put(row.id(), entry(sealer, named, row));
      }
    }
    return entries;
  }

  @Override
  public @Nullable Entry entry(String store, String file) {
    Sealer sealer = Sealer.of(keys, owner);
    FileRow row = storeFiles.get(store, file);
    CqlFiles.FileRow named = files.get(file);
    return row == null
            || row.status() != FileStatus.COMPLETED
            || named == null
            || !named.is(FileTable.PROCESSED)
        ? null
        : entry(sealer, named, row);
  }

  private static Entry entry(Sealer sealer, CqlFiles.FileRow named, FileRow row) {
    return new Entry(
        sealer.open(Purpose.FILE_NAME, named.filename()),
        Attributes.readAttributes(sealer.open(Purpose.FILE_ATTRIBUTES, row.attributes())));
  }

  private static StoreFile read(String store, FileRow row, Sealer sealer) {
    return new StoreFile(
        row.id(),
        store,
        row.status(),
        row.error(),
        Attributes.readAttributes(sealer.open(Purpose.FILE_ATTRIBUTES, row.attributes())),
        row.bytes(),
        row.chunking(),
        row.attachedAt());
  }
}
