package dev.rowhouse.retrieval;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The vectors of sentences that were used lately, so that a document that is asked often is not
 * computed again for each question.
 *
 * <p>A key holds the file's id, and a file is one tenant's, so no tenant meets the vectors of
 * another or can tell from the time that they exist. An entry goes after its time to live, however
 * often it is used, so that erased text does not stay.
 */
final class SentenceVectors {
  private record Key(String fileId, String sentence) {}

  // The array is computed once and never compared.
  @SuppressWarnings("ArrayRecordComponent")
  private record Entry(float[] vector, Instant until) {}

  private final Embedder embedder;
  private final int entriesMax;
  private final Duration timeToLive;
  private final InstantSource clock;
  private final Map<Key, Entry> entries = new LinkedHashMap<>();

  SentenceVectors(Embedder embedder, int entriesMax, Duration timeToLive, InstantSource clock) {
    this.embedder = embedder;
    this.entriesMax = entriesMax;
    this.timeToLive = timeToLive;
    this.clock = clock;
  }

  float[] vector(String fileId, String sentence) {
    Key key = new Key(fileId, sentence);
    Instant now = clock.instant();
    synchronized (entries) {
      dropOld(now);
      Entry known = entries.get(key);
      if (known != null) {
        return known.vector();
      }
    }
    float[] vector = embedder.embedPassage(sentence);
    synchronized (entries) {
      entries.putIfAbsent(key, new Entry(vector, now.plus(timeToLive)));
      if (entries.size() > entriesMax) {
        Iterator<Key> oldest = entries.keySet().iterator();
        oldest.next();
        oldest.remove();
      }
    }
    return vector;
  }

  /** Entries lie in the order in which they came, so the old ones are in front. */
  private void dropOld(Instant now) {
    Iterator<Entry> oldest = entries.values().iterator();
    while (oldest.hasNext() && !oldest.next().until().isAfter(now)) {
      oldest.remove();
    }
  }
}
