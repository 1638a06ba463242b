package dev.rowhouse.retrieval;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A condition on a file's attributes, as in OpenAI's vector store search.
 *
 * <p>An absent attribute, or one of another type, equals nothing and is ordered with nothing; so it
 * satisfies {@code ne} and {@code nin} only. Values are String, Boolean or a number.
 */
public sealed interface AttributeFilter {
  /** Clauses nest at most so deep, so that a filter cannot exhaust a stack. */
  int DEPTH_MAX = 8;

  /** Conditions in one filter, which bounds the work for each file. */
  int CONDITIONS_MAX = 128;

  boolean matches(Map<String, Object> attributes);

  /** How deep it nests, 1 for a comparison. */
  int depth();

  /** How many values it compares with. */
  int conditions();

  /** The operators of a comparison. */
  enum Operator {
    EQ,
    NE,
    GT,
    GTE,
    LT,
    LTE
  }

  record Comparison(Operator operator, String key, Object value) implements AttributeFilter {
    public Comparison {
      requireValue(value);
    }

    @Override
    public boolean matches(Map<String, Object> attributes) {
      Integer order = order(attributes.get(key), value);
      return switch (operator) {
        case EQ -> order != null && order == 0;
        case NE -> order == null || order != 0;
        case GT -> order != null && order > 0;
        case GTE -> order != null && order >= 0;
        case LT -> order != null && order < 0;
        case LTE -> order != null && order <= 0;
      };
    }

    @Override
    public int depth() {
      return 1;
    }

    @Override
    public int conditions() {
      return 1;
    }
  }

  /** The attribute is ({@code nin} with negated: is not) one of the values. */
  record In(String key, List<Object> values, boolean negated) implements AttributeFilter {
    public In {
      values = List.copyOf(values);
      values.forEach(AttributeFilter::requireValue);
    }

    @Override
    public boolean matches(Map<String, Object> attributes) {
      Object actual = attributes.get(key);
      boolean found = false;
      for (Object value : values) {
        Integer order = order(actual, value);
        found |= order != null && order == 0;
      }
      return found != negated;
    }

    @Override
    public int depth() {
      return 1;
    }

    @Override
    public int conditions() {
      return Math.max(1, values.size());
    }
  }

  record And(List<AttributeFilter> filters) implements AttributeFilter {
    public And {
      filters = List.copyOf(filters);
    }

    @Override
    public boolean matches(Map<String, Object> attributes) {
      return filters.stream().allMatch(filter -> filter.matches(attributes));
    }

    @Override
    public int depth() {
      return 1 + depthOf(filters);
    }

    @Override
    public int conditions() {
      return conditionsOf(filters);
    }
  }

  record Or(List<AttributeFilter> filters) implements AttributeFilter {
    public Or {
      filters = List.copyOf(filters);
    }

    @Override
    public boolean matches(Map<String, Object> attributes) {
      return filters.stream().anyMatch(filter -> filter.matches(attributes));
    }

    @Override
    public int depth() {
      return 1 + depthOf(filters);
    }

    @Override
    public int conditions() {
      return conditionsOf(filters);
    }
  }

  private static int depthOf(List<AttributeFilter> filters) {
    return filters.stream().mapToInt(AttributeFilter::depth).max().orElse(0);
  }

  private static int conditionsOf(List<AttributeFilter> filters) {
    return filters.stream().mapToInt(AttributeFilter::conditions).sum();
  }

  private static void requireValue(Object value) {
    if (!(value instanceof String || value instanceof Boolean || value instanceof Number)) {
      throw new IllegalArgumentException("a filter's value is a string, a boolean or a number");
    }
  }

  /** Null when the two cannot be compared. */
  private static @Nullable Integer order(@Nullable Object actual, Object value) {
    if (actual instanceof Number a && value instanceof Number b) {
      return new BigDecimal(a.toString()).compareTo(new BigDecimal(b.toString()));
    }
    if (actual instanceof String a && value instanceof String b) {
      return a.compareTo(b);
    }
    if (actual instanceof Boolean a && value instanceof Boolean b) {
      return a.compareTo(b);
    }
    return null;
  }
}
