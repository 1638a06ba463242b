package dev.rowhouse.tenant;

import org.jspecify.annotations.Nullable;

/** What a key opens on the tenant plane. */
public enum Scope {
  INFERENCE("inference"),
  KNOWLEDGE("knowledge"),
  PROMPTS("prompts"),
  USAGE_READ("usage:read");

  private final String label;

  Scope(String label) {
    this.label = label;
  }

  public String label() {
    return label;
  }

  public static @Nullable Scope ofLabel(String label) {
    for (Scope scope : values()) {
      if (scope.label.equals(label)) {
        return scope;
      }
    }
    return null;
  }
}
