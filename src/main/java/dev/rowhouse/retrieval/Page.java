package dev.rowhouse.retrieval;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** Some items of a list, and whether there are more after the last of them. */
record Page<T>(List<T> items, boolean hasMore) {
  /** What an item has beside its texts: ids, numbers, names of fields. */
  static final int ITEM_BYTES = 300;

  /** The most bytes of a character in UTF-8, over the chars of a String. */
  private static final int CHAR_BYTES_MAX = 3;

  Page {
    items = List.copyOf(items);
  }

  /** From what a query for one more than the limit found. */
  static <T> Page<T> of(List<T> oneMore, int limit) {
    boolean more = oneMore.size() > limit;
    return new Page<>(more ? oneMore.subList(0, limit) : oneMore, more);
  }

  /** The first items that fit a message, at least one. */
  Page<T> within(int bytesMax, ToIntFunction<T> sizeBytes) {
    List<T> fitting = new ArrayList<>();
    long sum = 0;
    for (T item : items) {
      sum += sizeBytes.applyAsInt(item);
      if (sum > bytesMax && !fitting.isEmpty()) {
        return new Page<>(fitting, true);
      }
      fitting.add(item);
    }
    return this;
  }

  /** At least the bytes of the text in UTF-8. */
  static int size(String text) {
    int bytes = text.length();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80) {
        bytes += CHAR_BYTES_MAX - 1;
      }
    }
    return bytes;
  }

  static int size(Map<String, ?> pairs) {
    int bytes = 0;
    for (var pair : pairs.entrySet()) {
      bytes += size(pair.getKey()) + size(String.valueOf(pair.getValue()));
    }
    return bytes;
  }
}
