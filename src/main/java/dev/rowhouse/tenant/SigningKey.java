package dev.rowhouse.tenant;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;

/**
 * The cluster's Ed25519 key (RFC 8032), which signs what the house promises to others: reports of
 * erasures. It is made by the first node that needs it and lies in the key store, wrapped by the
 * master key, so every node signs with the same one and a backup of the database has it.
 */
public final class SigningKey {
  private static final String NAME = "erasure-signing";
  private static final String ALGORITHM = "Ed25519";
  private static final int ID_LENGTH = 16;

  private final PrivateKey secret;
  private final PublicKey open;

  private SigningKey(PrivateKey secret, PublicKey open) {
    this.secret = secret;
    this.open = open;
  }

  /** Reads the key, or makes it; blocks. */
  public static SigningKey of(DataKeys keys) {
    ByteBuffer kept = ByteBuffer.wrap(keys.house(NAME, SigningKey::made));
    byte[] pkcs8 = new byte[kept.getInt()];
    kept.get(pkcs8);
    byte[] x509 = new byte[kept.remaining()];
    kept.get(x509);
    try {
      KeyFactory factory = KeyFactory.getInstance(ALGORITHM);
      return new SigningKey(
          factory.generatePrivate(new PKCS8EncodedKeySpec(pkcs8)),
          factory.generatePublic(new X509EncodedKeySpec(x509)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the signing key cannot be read", e);
    }
  }

  private static byte[] made() {
    try {
      KeyPair pair = KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
      byte[] pkcs8 = pair.getPrivate().getEncoded();
      byte[] x509 = pair.getPublic().getEncoded();
      return ByteBuffer.allocate(Integer.BYTES + pkcs8.length + x509.length)
          .putInt(pkcs8.length)
          .put(pkcs8)
          .put(x509)
          .array();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
    }
  }

  public byte[] sign(byte[] bytes) {
    try {
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initSign(secret);
      signature.update(bytes);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the report cannot be signed", e);
    }
  }

  /** The public key as openssl reads it. */
  public String publicPem() {
    return "-----BEGIN PUBLIC KEY-----\n"
        + Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
            .encodeToString(open.getEncoded())
        + "\n-----END PUBLIC KEY-----\n";
  }

  /** The first half of the SHA-256 of the public key, in hex. */
  public String id() {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(open.getEncoded());
      return HexFormat.of().formatHex(digest, 0, ID_LENGTH / 2);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
