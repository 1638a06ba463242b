package dev.rowhouse.retrieval;

import java.util.List;

/**
 * What a search found, best first.
 *
 * @param truncated the last results were left off because the answer would exceed a message
 */
public record SearchResult(List<Passage> passages, boolean truncated) {
  public SearchResult {
    passages = List.copyOf(passages);
  }
}
