package dev.rowhouse.retrieval;

import org.jspecify.annotations.Nullable;

/**
 * A page of a list that is ordered by the time of creation.
 *
 * @param after the id of the last item of the page before; null for the first page
 * @param limit at most so many items, 1 to 100; a page of large items may be shorter, with more to
 *     come
 */
public record PageRequest(@Nullable String after, int limit, boolean ascending) {
  public static final int LIMIT_MAX = 100;
  public static final int LIMIT_DEFAULT = 20;

  public PageRequest {
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new IllegalArgumentException("limit must be between 1 and 100, not " + limit);
    }
  }
}
