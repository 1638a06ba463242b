package dev.rowhouse.tenant;

import java.util.regex.Pattern;

/**
 * What the house keeps of a key that was just minted: its id and the SHA-256 of its secret. The
 * gateway mints and shows the key; the secret itself never leaves that gateway, so it is on no wire
 * and in no journal, and a command that arrives twice makes the same key.
 *
 * @param secretSha256 lower-case hex
 */
public record NewKey(String id, String secretSha256) {
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  public NewKey {
    if (!ApiKey.isKeyId(id) || !SHA256.matcher(secretSha256).matches()) {
      throw new IllegalArgumentException("not a minted key");
    }
  }
}
