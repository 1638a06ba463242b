package dev.rowhouse.retrieval;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One file's way into one store: read, cut, embedded and written a few chunks at a time, and at
 * last completed in one transaction with the change that every index follows.
 *
 * <p>It may stop anywhere and start again: chunks that are already there and the same are kept.
 * Calls block; one at a time.
 */
final class Ingestion {
  /** What a step came to. */
  sealed interface Outcome {}

  /** There are chunks left. */
  record More() implements Outcome {}

  /** The file is completed. */
  record Completed() implements Outcome {}

  /** The file was taken out, cancelled or deleted meanwhile. */
  record Gone() implements Outcome {}

  /** The file cannot be ingested, now or later. */
  record Failed(FileError error) implements Outcome {}

  private static final int CHUNKS_PER_READ = 256;

  private final DocumentStore documents;
  private final Embedder embedder;
  private final RetrievalSettings.Ingest settings;
  private final String store;
  private final String file;
  private final ChunkingStrategy chunking;
  private List<Chunk> chunks = List.of();
  private boolean prepared;
  private int next;

  Ingestion(
      DocumentStore documents,
      Embedder embedder,
      RetrievalSettings.Ingest settings,
      StoreFile target) {
    this.documents = documents;
    this.embedder = embedder;
    this.settings = settings;
    this.store = target.storeId();
    this.file = target.fileId();
    this.chunking = target.chunking();
  }

  String store() {
    return store;
  }

  String file() {
    return file;
  }

  Outcome step() {
    if (!prepared) {
      StoredFile source = documents.files().get(file);
      if (source == null) {
        return new Gone();
      }
      try {
        prepare(source);
      } catch (TextDecoding.Rejected e) {
        return failed(e.error());
      } catch (Chunker.TooManyChunks e) {
        return failed(
            FileError.invalid("the file has more than " + settings.chunksPerFileMax() + " chunks"));
      }
    }
    if (next < chunks.size()) {
      return embedSome();
    }
    long usageBytes = 0;
    for (Chunk chunk : chunks) {
      usageBytes += chunk.text().getBytes(StandardCharsets.UTF_8).length;
      usageBytes += (long) embedder.dimensions() * Float.BYTES;
    }
    return documents.storeFiles().complete(store, file, usageBytes) ? new Completed() : new Gone();
  }

  private Failed failed(FileError error) {
    documents.storeFiles().fail(store, file, error);
    return new Failed(error);
  }

  private void prepare(StoredFile source) throws TextDecoding.Rejected, Chunker.TooManyChunks {
    TextDecoding.Text text =
        TextDecoding.decode(source.filename(), documents.files().content(file));
    Chunker chunker =
        new Chunker(embedder::tokens, settings.chunkCharsMax(), settings.chunksPerFileMax());
    chunks = chunker.chunk(text.text(), text.markdown(), chunking);
    next = alreadyThere();
    prepared = true;
  }

  /** How many chunks an earlier attempt left; none when it cut differently. */
  private int alreadyThere() {
    int same = 0;
    List<ChunkTable.Embedded> page;
    do {
      page = documents.chunks().read(store, file, same, CHUNKS_PER_READ);
      for (ChunkTable.Embedded embedded : page) {
        if (same >= chunks.size() || !embedded.chunk().equals(chunks.get(same))) {
          documents.chunks().clear(store, file);
          return 0;
        }
        same++;
      }
    } while (page.size() == CHUNKS_PER_READ);
    return same;
  }

  private Outcome embedSome() {
    int end = Math.min(chunks.size(), next + settings.chunksPerStep());
    List<ChunkTable.Embedded> embedded = new ArrayList<>();
    for (Chunk chunk : chunks.subList(next, end)) {
      embedded.add(new ChunkTable.Embedded(chunk, embedder.embedPassage(chunk.embeddedText())));
    }
    if (!documents.chunks().add(store, file, embedded)) {
      return new Gone();
    }
    next = end;
    return new More();
  }
}
