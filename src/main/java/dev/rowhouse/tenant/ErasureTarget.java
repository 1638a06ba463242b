package dev.rowhouse.tenant;

import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * Something that holds data of tenants and that offboarding has to empty: documents, answers kept
 * for repetitions, the personal columns of a projection.
 *
 * <p>First every target counts, and the counts are stored; then every target erases. So a node that
 * dies in between loses no count, and both may be asked any number of times. Neither may block the
 * caller. A stage that fails leaves the erasure unfinished; it is taken up again.
 */
public interface ErasureTarget {
  /** What the report calls it: a short noun in snake case, the same for ever. */
  String name();

  /** What there is of that tenant, by snake-case nouns. */
  CompletionStage<Map<String, Long>> count(TenantId tenant);

  /** Erases it; what is gone already is no error. */
  CompletionStage<?> erase(TenantId tenant);
}
