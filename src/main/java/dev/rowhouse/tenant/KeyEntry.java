package dev.rowhouse.tenant;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A key as it is kept: the SHA-256 of its secret, never the secret.
 *
 * @param secretSha256 lower-case hex
 * @param expiresAt from then on the key is unknown; absent: never. A rotation with grace sets it.
 */
public record KeyEntry(
    String id,
    String secretSha256,
    String name,
    Set<Scope> scopes,
    Instant createdAt,
    @Nullable Instant expiresAt) {
  public KeyEntry {
    scopes = Set.copyOf(scopes);
  }

  public boolean isExpired(Instant now) {
    return expiresAt != null && !now.isBefore(expiresAt);
  }
}
