package dev.rowhouse.tenant;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The secret that all nodes of a cluster share: it lets any of them see that a key was minted by
 * the house, without asking anyone. Who has it can forge the checksum of a key, but not the key.
 *
 * <p>It comes from {@value #VARIABLE} where that is set (a cluster of several nodes must set it),
 * else from the file {@code cluster-secret} (mode 0600) of the data directory, which the first
 * start makes.
 */
public final class ClusterSecret {
  public static final String VARIABLE = "ROWHOUSE_CLUSTER_SECRET";
  public static final String FILE_NAME = "cluster-secret";

  private static final String ALGORITHM = "HmacSHA256";

  private final ThreadLocal<Mac> keyChecksums;
  private final SecretKeySpec root;

  private ClusterSecret(byte[] secret) {
    root = new SecretKeySpec(secret, ALGORITHM);
    // A Mac costs microseconds to make and little to reuse, and every request needs one.
    SecretKeySpec derived = new SecretKeySpec(derive("api-key-checksum"), ALGORITHM);
    keyChecksums = ThreadLocal.withInitial(() -> mac(derived));
  }

  /** The secret of that text, which has at least 32 characters. */
  public static ClusterSecret of(String text) {
    SecretFile.require("cluster secret", text);
    return new ClusterSecret(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Reads the secret from the environment or the data directory; makes it at the first start. */
  public static ClusterSecret load(
      Path dataDirectory, Map<String, String> environment, RandomGenerator random)
      throws IOException {
    String text =
        SecretFile.load(
            environment.get(VARIABLE),
            dataDirectory.resolve(FILE_NAME),
            random,
            true,
            "restore it from a backup, or delete it and rotate every key");
    return of(Objects.requireNonNull(text, "it is made where there is none"));
  }

  /** The HMAC-SHA256 that stands behind the checksum of a key; it is reused by this thread. */
  byte[] keyChecksum(String text) {
    return keyChecksums.get().doFinal(text.getBytes(StandardCharsets.UTF_8));
  }

  /** A key for another purpose, so that no two uses share one (HMAC-SHA256 of the purpose). */
  public byte[] derive(String purpose) {
    return mac(root).doFinal(purpose.getBytes(StandardCharsets.UTF_8));
  }

  private static Mac mac(SecretKeySpec key) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
    }
  }

  @Override
  public String toString() {
    return "ClusterSecret(...)";
  }
}
