package dev.rowhouse.tenant;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one tenant.
 *
 * @param retiring ids of keys that a rotation replaced and that still open until their grace ends
 */
public record KeyRing(Map<String, KeyEntry> entries, Set<String> retiring) {
  /** Every node that serves the tenant holds them all, and looks one up per request. */
  static final int KEYS_MAX = 50;

  static final int NAME_LENGTH_MAX = 100;

  /** Whoever needs longer wants two keys. */
  static final Duration GRACE_MAX = Duration.ofDays(30);

  static final KeyRing EMPTY = new KeyRing(Map.of(), Set.of());

  public KeyRing {
    entries = Map.copyOf(entries);
    retiring = Set.copyOf(retiring);
  }

  @Nullable KeyEntry live(String id, Instant now) {
    KeyEntry entry = entries.get(id);
    return entry == null || entry.isExpired(now) ? null : entry;
  }

  Map<String, KeyEntry> liveAt(Instant now) {
    Map<String, KeyEntry> live = new HashMap<>(entries);
    live.values().removeIf(entry -> entry.isExpired(now));
    return live;
  }

  /**
   * The expiry of the key that replaces {@code old}: it lives as long as the old one was made for,
   * so that a rotation neither shortens nor makes eternal what an operator had limited.
   */
  static @Nullable Instant expiryAfter(KeyEntry old, Instant now) {
    Instant expiresAt = old.expiresAt();
    return expiresAt == null ? null : now.plus(Duration.between(old.createdAt(), expiresAt));
  }

  /** With that key, and without those whose time is over. */
  KeyRing with(KeyEntry entry, Instant now) {
    Map<String, KeyEntry> changed = liveAt(now);
    changed.put(entry.id(), entry);
    return of(changed, retiring);
  }

  KeyRing rotated(String oldId, Instant oldExpiresAt, KeyEntry entry, Instant now) {
    Map<String, KeyEntry> changed = liveAt(now);
    KeyEntry old = changed.remove(oldId);
    Set<String> leaving = new HashSet<>(retiring);
    if (old != null && oldExpiresAt.isAfter(now)) {
      leaving.add(oldId);
      changed.put(oldId, old.until(oldExpiresAt));
    }
    changed.put(entry.id(), entry);
    return of(changed, leaving);
  }

  KeyRing without(String id) {
    Map<String, KeyEntry> changed = new HashMap<>(entries);
    changed.remove(id);
    return of(changed, retiring);
  }

  private static KeyRing of(Map<String, KeyEntry> entries, Set<String> retiring) {
    Set<String> there = new HashSet<>(retiring);
    there.retainAll(entries.keySet());
    return new KeyRing(entries, there);
  }
}
