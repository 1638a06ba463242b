package dev.rowhouse.tenant;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A key as it is kept: the SHA-256 of its secret, never the secret.
 *
 * @param secretSha256 lower-case hex
 * @param expiresAt from then on the key is unknown; absent: never. A rotation with grace sets it.
 * @param limits what may be used with this key, beside the tenant's own limits; what is absent is
 *     not limited apart
 * @param replaced ids of the keys that it took the place of by rotation, the first one first and of
 *     the others the latest. What they use counts together: a rotation gives no fresh quota.
 */
public record KeyEntry(
    String id,
    String secretSha256,
    String name,
    Set<Scope> scopes,
    Instant createdAt,
    @Nullable Instant expiresAt,
    @Nullable Limits limits,
    List<String> replaced) {
  /** Only what was used this month matters, and nobody rotates a key every day. */
  static final int REPLACED_MAX = 31;

  public KeyEntry {
    scopes = Set.copyOf(scopes);
    // An entry of an older form has none.
    replaced = replaced == null ? List.of() : List.copyOf(replaced);
  }

  /** Whether this key has any limit of its own. */
  public boolean hasLimits() {
    return limits != null;
  }

  /** The name under which what this key uses is counted. */
  public String meter() {
    return replaced.isEmpty() ? id : replaced.getFirst();
  }

  /** The same key until that time. */
  KeyEntry until(Instant time) {
    return new KeyEntry(id, secretSha256, name, scopes, createdAt, time, limits, replaced);
  }

  KeyEntry with(String otherName, @Nullable Limits otherLimits) {
    return new KeyEntry(
        id, secretSha256, otherName, scopes, createdAt, expiresAt, otherLimits, replaced);
  }

  /** The key that takes the place of this one. */
  KeyEntry successor(NewKey key, Instant now, @Nullable Instant expiry) {
    List<String> before = new ArrayList<>(replaced);
    before.add(id);
    if (before.size() > REPLACED_MAX) {
      // The first one names the meter of them all.
      before.remove(1);
    }
    return new KeyEntry(key.id(), key.secretSha256(), name, scopes, now, expiry, limits, before);
  }

  public boolean isExpired(Instant now) {
    return expiresAt != null && !now.isBefore(expiresAt);
  }
}
