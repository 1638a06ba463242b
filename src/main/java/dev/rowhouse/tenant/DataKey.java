package dev.rowhouse.tenant;

import com.google.crypto.tink.Aead;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * One tenant's data key, unwrapped: it seals and opens without waiting for anything.
 *
 * <p>A sealed value is {@code 1 | generation (4 bytes) | XAES-256-GCM (24 bytes nonce, ciphertext,
 * 16 bytes tag)}: 45 bytes more than it holds. The random nonce is long enough for any number of
 * values (C2SP XAES-256-GCM; plain AES-GCM would end after 2^32, which a hot tenant's labels reach
 * in days). Tenant, generation and {@link Purpose} are the associated data, so a value that is
 * moved to another tenant or another field does not open. As text it is {@value #TEXT_PREFIX} and
 * base64url.
 */
public final class DataKey {
  /** What a sealed text begins with; a text that does not was never sealed. */
  public static final String TEXT_PREFIX = "~1:";

  private static final byte FORMAT = 1;
  private static final int HEAD_BYTES = 1 + Integer.BYTES;

  /** What a value is for. The words are part of the format and never change. */
  public enum Purpose {
    TENANT_EVENT("tenant-event"),
    TENANT_SNAPSHOT("tenant-snapshot"),
    DISPLAY_NAME("display-name"),
    USAGE_LABEL("usage-label"),
    IDEMPOTENT_ANSWER("idempotent-answer"),
    FILE_NAME("file-name"),
    FILE_CONTENT("file-content"),
    FILE_ATTRIBUTES("file-attributes"),
    STORE_NAME("store-name"),
    STORE_METADATA("store-metadata"),
    CHUNK_HEADING("chunk-heading"),
    CHUNK_TEXT("chunk-text"),
    CHUNK_VECTOR("chunk-vector");

    private final String word;

    Purpose(String word) {
      this.word = word;
    }
  }

  /** What opening a value came to. */
  public sealed interface Opening {}

  // The array is handed on and compared by nobody.
  @SuppressWarnings("ArrayRecordComponent")
  public record Opened(byte[] bytes) implements Opening {
    public String text() {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  /** The key that sealed it is gone, and so is what it held. */
  public record KeyDestroyed() implements Opening {}

  /** It was changed, or sealed for another tenant or purpose. */
  public record Damaged() implements Opening {}

  private final TenantId tenant;
  private final int generation;
  private final Aead aead;

  DataKey(TenantId tenant, int generation, Aead aead) {
    this.tenant = tenant;
    this.generation = generation;
    this.aead = aead;
  }

  public TenantId tenant() {
    return tenant;
  }

  /** Counts the keys that this tenant has had, from 1. */
  public int generation() {
    return generation;
  }

  public byte[] seal(Purpose purpose, byte[] bytes) {
    try {
      byte[] sealed = aead.encrypt(bytes, associatedData(tenant, generation, purpose));
      byte[] all = new byte[HEAD_BYTES + sealed.length];
      all[0] = FORMAT;
      for (int i = 0; i < Integer.BYTES; i++) {
        all[1 + i] = (byte) (generation >>> (24 - 8 * i));
      }
      System.arraycopy(sealed, 0, all, HEAD_BYTES, sealed.length);
      return all;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a value cannot be sealed", e);
    }
  }

  public String seal(Purpose purpose, String text) {
    return TEXT_PREFIX
        + Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString(seal(purpose, text.getBytes(StandardCharsets.UTF_8)));
  }

  public Opening open(Purpose purpose, byte[] sealed) {
    int sealedBy = generationOf(sealed);
    if (sealedBy > 0 && sealedBy < generation) {
      // A tenant has a next key only after the one before was destroyed.
      return new KeyDestroyed();
    }
    if (sealedBy != generation) {
      return new Damaged();
    }
    try {
      byte[] body = java.util.Arrays.copyOfRange(sealed, HEAD_BYTES, sealed.length);
      return new Opened(aead.decrypt(body, associatedData(tenant, generation, purpose)));
    } catch (GeneralSecurityException e) {
      return new Damaged();
    }
  }

  /** Opens a text; one that was never sealed is what it is. */
  public Opening open(Purpose purpose, String text) {
    if (!isSealed(text)) {
      return new Opened(text.getBytes(StandardCharsets.UTF_8));
    }
    byte @Nullable [] sealed = bytes(text);
    return sealed == null ? new Damaged() : open(purpose, sealed);
  }

  public static boolean isSealed(String text) {
    return text.startsWith(TEXT_PREFIX);
  }

  private static byte @Nullable [] bytes(String text) {
    try {
      return Base64.getUrlDecoder().decode(text.substring(TEXT_PREFIX.length()));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** Which generation sealed that; 0: it is no sealed value. */
  static int generationOf(byte[] sealed) {
    if (sealed.length < HEAD_BYTES || sealed[0] != FORMAT) {
      return 0;
    }
    int generation = 0;
    for (int i = 0; i < Integer.BYTES; i++) {
      generation = generation << 8 | (sealed[1 + i] & 0xff);
    }
    return generation;
  }

  private static byte[] associatedData(TenantId tenant, int generation, Purpose purpose) {
    // A tenant's id holds no '|'.
    return ("rowhouse|" + tenant + "|" + generation + "|" + purpose.word)
        .getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return "DataKey(" + tenant + ", " + generation + ")";
  }
}
