package dev.rowhouse.retrieval;

import dev.rowhouse.tenant.TenantId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The ids of what a request makes: the same request of the same tenant makes the same id, so that a
 * request that arrives twice makes one thing.
 */
final class Ids {
  private static final int BYTES = 16;

  private Ids() {}

  static String file(TenantId tenant, String requestId) {
    return "file-" + hash("file", tenant, requestId);
  }

  static String store(TenantId tenant, String requestId) {
    return "vs_" + hash("store", tenant, requestId);
  }

  static String batch(TenantId tenant, String requestId) {
    return "vsfb_" + hash("batch", tenant, requestId);
  }

  private static String hash(String kind, TenantId tenant, String requestId) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(
                  (kind + "|" + tenant.value() + "|" + requestId).getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
