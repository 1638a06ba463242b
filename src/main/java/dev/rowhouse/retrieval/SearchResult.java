package dev.rowhouse.retrieval;

import dev.rowhouse.tenant.TenantId;
import java.util.List;

/**
 * What a search found, best first.
 *
 * @param tenant whose passages these are, by the word of the actor that found them
 * @param truncated the last results were left off because the answer would exceed a message
 */
public record SearchResult(TenantId tenant, List<Passage> passages, boolean truncated) {
  public SearchResult {
    passages = List.copyOf(passages);
  }
}
