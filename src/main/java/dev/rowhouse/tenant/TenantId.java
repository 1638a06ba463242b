package dev.rowhouse.tenant;

import java.util.regex.Pattern;

/**
 * The name of a tenant: {@code [a-z0-9][a-z0-9-]{0,62}}. It is safe in a path, a file name, a
 * persistence id and a key, because it can hold no separator of any of them.
 */
public record TenantId(String value) implements Comparable<TenantId> {
  public static final int LENGTH_MAX = 63;
  private static final Pattern SHAPE = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

  public TenantId {
    if (!isValid(value)) {
      throw new IllegalArgumentException("not a tenant id: " + value);
    }
  }

  public static boolean isValid(String value) {
    return SHAPE.matcher(value).matches();
  }

  @Override
  public int compareTo(TenantId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
