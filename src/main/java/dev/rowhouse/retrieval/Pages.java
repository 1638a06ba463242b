package dev.rowhouse.retrieval;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Pages of a bounded list that is in memory, in the order of {@link Keyset}. */
final class Pages {
  private Pages() {}

  /**
   * The wanted items behind the cursor's.
   *
   * @param all what a cursor may name, wanted or not
   * @return null when the cursor names none of them
   */
  static <T> @Nullable Page<T> of(
      List<T> all,
      Predicate<T> wanted,
      Function<T, Instant> time,
      Function<T, String> id,
      PageRequest page) {
    Comparator<T> order = Comparator.comparing(time).thenComparing(id);
    Comparator<T> asked = page.ascending() ? order : order.reversed();
    T cursor =
        page.after() == null
            ? null
            : all.stream()
                .filter(item -> Objects.equals(page.after(), id.apply(item)))
                .findFirst()
                .orElse(null);
    if (page.after() != null && cursor == null) {
      return null;
    }
    return Page.of(
        all.stream()
            .filter(wanted)
            .filter(item -> cursor == null || asked.compare(item, cursor) > 0)
            .sorted(asked)
            .limit(page.limit() + 1L)
            .toList(),
        page.limit());
  }
}
