package dev.rowhouse.tenant;

import com.google.crypto.tink.AccessesPartialKey;
import com.google.crypto.tink.Aead;
import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.aead.AeadConfig;
import com.google.crypto.tink.aead.PredefinedAeadParameters;
import com.google.crypto.tink.aead.XAesGcmKey;
import com.google.crypto.tink.util.SecretBytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Map;
import java.util.random.RandomGenerator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The key that wraps every tenant's data key, and seals nothing else. Who has it and the database
 * can read what tenants wrote; who has only one of them cannot. Keep it out of the database's
 * backups.
 *
 * <p>It comes from {@value #VARIABLE} where that is set (a cluster of several nodes must set it),
 * else from the file {@code master-key} (mode 0600) of the data directory, which the very first
 * start makes. A lost one is never replaced by a new one: what was sealed would be lost unseen.
 */
public final class MasterKey {
  public static final String VARIABLE = "ROWHOUSE_MASTER_KEY";
  public static final String FILE_NAME = "master-key";

  private static final String DERIVATION = "HmacSHA256";
  private static final String PURPOSE = "rowhouse-master-key-v1";

  private final Aead aead;

  private MasterKey(Aead aead) {
    this.aead = aead;
  }

  /** The key of that text, which has at least 32 characters. */
  // The bytes come from outside, so the key is made of its parts.
  @AccessesPartialKey
  public static MasterKey of(String text) {
    SecretFile.require("master key", text);
    try {
      AeadConfig.register();
      Mac mac = Mac.getInstance(DERIVATION);
      mac.init(new SecretKeySpec(text.getBytes(StandardCharsets.UTF_8), DERIVATION));
      byte[] bytes = mac.doFinal(PURPOSE.getBytes(StandardCharsets.UTF_8));
      XAesGcmKey key =
          XAesGcmKey.create(
              PredefinedAeadParameters.XAES_256_GCM_192_BIT_NONCE_NO_PREFIX,
              SecretBytes.copyFrom(bytes, InsecureSecretKeyAccess.get()),
              null);
      KeysetHandle handle =
          KeysetHandle.newBuilder()
              .addEntry(KeysetHandle.importKey(key).withRandomId().makePrimary())
              .build();
      return new MasterKey(handle.getPrimitive(RegistryConfiguration.get(), Aead.class));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every platform of this house has AES-GCM", e);
    }
  }

  /**
   * Reads the key from the environment or the data directory.
   *
   * @param mayMake whether nothing was ever wrapped, so that a new key loses nothing
   * @return absent: there is none, and none may be made
   */
  public static @Nullable MasterKey load(
      Path dataDirectory, Map<String, String> environment, RandomGenerator random, boolean mayMake)
      throws IOException {
    String text =
        SecretFile.load(
            environment.get(VARIABLE),
            dataDirectory.resolve(FILE_NAME),
            random,
            mayMake,
            "restore it from a backup");
    return text == null ? null : of(text);
  }

  /** Wraps a serialised secret under a name; only that name opens it again. */
  byte[] wrap(byte[] secret, String name) throws GeneralSecurityException {
    return aead.encrypt(secret, name.getBytes(StandardCharsets.UTF_8));
  }

  byte[] unwrap(byte[] wrapped, String name) throws GeneralSecurityException {
    return aead.decrypt(wrapped, name.getBytes(StandardCharsets.UTF_8));
  }

  Aead aead() {
    return aead;
  }

  @Override
  public String toString() {
    return "MasterKey(...)";
  }
}
