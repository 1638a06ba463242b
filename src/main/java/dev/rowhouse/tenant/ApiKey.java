package dev.rowhouse.tenant;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.random.RandomGenerator;

/**
 * A tenant's credential: {@code rh_<tenant>_<keyid>_<secret><checksum>}.
 *
 * <p>The tenant is known from the credential alone. The checksum is an HMAC under the cluster's
 * secret over all that stands before it, truncated to 64 bit: a key that the house never minted is
 * refused at the gateway, without a message to anyone. What authenticates is the secret (166 bit),
 * whose SHA-256 the tenant's record keeps; no stretching is needed, because nobody can try 2^166.
 */
public final class ApiKey {
  private static final String PREFIX = "rh_";
  private static final char SEPARATOR = '_';
  private static final String BASE62 =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

  /** 71 bit: two keys of one tenant never share an id by chance. */
  static final int KEY_ID_LENGTH = 12;

  /** 28 * log2(62) = 166 bit. */
  static final int SECRET_LENGTH = 28;

  /** 62^11 > 2^64: the first eight bytes of the HMAC. */
  static final int CHECKSUM_LENGTH = 11;

  private static final int TAIL_LENGTH = SECRET_LENGTH + CHECKSUM_LENGTH;
  static final int LENGTH_MAX =
      PREFIX.length() + TenantId.LENGTH_MAX + 1 + KEY_ID_LENGTH + 1 + TAIL_LENGTH;

  private static final ThreadLocal<MessageDigest> SHA256 = ThreadLocal.withInitial(ApiKey::sha256);

  private ApiKey() {}

  /** What a text that claims to be a key turned out to be. */
  public sealed interface Parsed {}

  /**
   * Minted by this house for that tenant. Whether it still opens anything is the record's to say.
   */
  public record Valid(TenantId tenant, String keyId, String secretSha256) implements Parsed {
    /** Whether this is that key; takes the same time whatever differs. */
    public boolean isKeyOf(KeyEntry entry) {
      return MessageDigest.isEqual(
          secretSha256.getBytes(StandardCharsets.US_ASCII),
          entry.secretSha256().getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** Not the shape of a key. */
  public record Malformed() implements Parsed {}

  /** The shape of a key that this house did not mint. */
  public record Forged() implements Parsed {}

  /**
   * A key that was just made.
   *
   * @param text the whole key: to be shown once, and kept nowhere
   * @param key what is kept of it
   */
  public record Minted(String text, NewKey key) {
    @Override
    public String toString() {
      return "Minted(" + key.id() + ")";
    }
  }

  /**
   * A new key of that tenant.
   *
   * @param random a {@code SecureRandom} outside of tests
   */
  public static Minted mint(TenantId tenant, ClusterSecret cluster, RandomGenerator random) {
    String keyId = randomText(KEY_ID_LENGTH, random);
    String secret = randomText(SECRET_LENGTH, random);
    String signed = PREFIX + tenant + SEPARATOR + keyId + SEPARATOR + secret;
    return new Minted(signed + checksum(signed, cluster), new NewKey(keyId, hexSha256(secret)));
  }

  /** Total: any text has a result, and none throws. */
  public static Parsed parse(String text, ClusterSecret cluster) {
    if (text.length() > LENGTH_MAX || !text.startsWith(PREFIX)) {
      return new Malformed();
    }
    int tenantEnd = text.indexOf(SEPARATOR, PREFIX.length());
    int keyIdEnd = tenantEnd + 1 + KEY_ID_LENGTH;
    if (tenantEnd < 0
        || text.length() != keyIdEnd + 1 + TAIL_LENGTH
        || text.charAt(keyIdEnd) != SEPARATOR
        || !isBase62(text, tenantEnd + 1, keyIdEnd)
        || !isBase62(text, keyIdEnd + 1, text.length())) {
      return new Malformed();
    }
    String tenant = text.substring(PREFIX.length(), tenantEnd);
    if (!TenantId.isValid(tenant)) {
      return new Malformed();
    }
    int signedEnd = text.length() - CHECKSUM_LENGTH;
    String expected = checksum(text.substring(0, signedEnd), cluster);
    String actual = text.substring(signedEnd);
    if (!MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.US_ASCII), actual.getBytes(StandardCharsets.US_ASCII))) {
      return new Forged();
    }
    return new Valid(
        new TenantId(tenant),
        text.substring(tenantEnd + 1, keyIdEnd),
        hexSha256(text.substring(keyIdEnd + 1, signedEnd)));
  }

  static boolean isKeyId(String text) {
    return text.length() == KEY_ID_LENGTH && isBase62(text, 0, KEY_ID_LENGTH);
  }

  private static String checksum(String signed, ClusterSecret cluster) {
    byte[] mac = cluster.keyChecksum(signed);
    long rest = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      rest = (rest << 8) | (mac[i] & 0xff);
    }
    char[] digits = new char[CHECKSUM_LENGTH];
    for (int i = CHECKSUM_LENGTH - 1; i >= 0; i--) {
      digits[i] = BASE62.charAt((int) Long.remainderUnsigned(rest, BASE62.length()));
      rest = Long.divideUnsigned(rest, BASE62.length());
    }
    return new String(digits);
  }

  private static String randomText(int length, RandomGenerator random) {
    StringBuilder text = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      text.append(BASE62.charAt(random.nextInt(BASE62.length())));
    }
    return text.toString();
  }

  private static boolean isBase62(String text, int from, int until) {
    for (int i = from; i < until; i++) {
      char c = text.charAt(i);
      if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) {
        return false;
      }
    }
    return true;
  }

  private static String hexSha256(String secret) {
    return HexFormat.of()
        .formatHex(SHA256.get().digest(secret.getBytes(StandardCharsets.US_ASCII)));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
