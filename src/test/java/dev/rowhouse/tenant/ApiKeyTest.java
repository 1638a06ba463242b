package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ApiKeyTest {
  private static final TenantId ACME = new TenantId("acme");
  private static final ClusterSecret CLUSTER = ClusterSecret.of("0123456789abcdef0123456789abcdef");

  private final Random random = new Random(1);

  @Test
  void aMintedKeyIsReadBack() throws Exception {
    ApiKey.Minted minted = ApiKey.mint(ACME, CLUSTER, random);

    ApiKey.Valid valid = assertInstanceOf(ApiKey.Valid.class, parse(minted.text()));

    assertEquals(ACME, valid.tenant());
    assertEquals(minted.key().id(), valid.keyId());
    assertEquals(minted.key().secretSha256(), valid.secretSha256());
    assertTrue(minted.text().matches("rh_acme_[0-9A-Za-z]{12}_[0-9A-Za-z]{39}"), minted.text());
    String tail = minted.text().substring(minted.text().lastIndexOf('_') + 1);
    String secret = tail.substring(0, ApiKey.SECRET_LENGTH);
    assertEquals(
        HexFormat.of()
            .formatHex(
                MessageDigest.getInstance("SHA-256")
                    .digest(secret.getBytes(StandardCharsets.US_ASCII))),
        valid.secretSha256());
  }

  @Test
  void theLongestTenantIdFits() {
    TenantId longest = new TenantId("a".repeat(TenantId.LENGTH_MAX));
    String text = ApiKey.mint(longest, CLUSTER, random).text();
    assertEquals(ApiKey.LENGTH_MAX, text.length());
    assertInstanceOf(ApiKey.Valid.class, parse(text));
  }

  @Test
  void aKeyOfAnotherClusterIsForged() {
    ClusterSecret other = ClusterSecret.of("another secret that is long enough");
    String text = ApiKey.mint(ACME, other, random).text();
    assertInstanceOf(ApiKey.Forged.class, parse(text));
  }

  @Test
  void aKeyWithOneCharacterChangedIsNeverValid() {
    String text = ApiKey.mint(ACME, CLUSTER, random).text();
    for (int i = 0; i < text.length(); i++) {
      char changed = text.charAt(i) == 'x' ? 'y' : 'x';
      String other = text.substring(0, i) + changed + text.substring(i + 1);
      assertFalse(parse(other) instanceof ApiKey.Valid, other);
    }
  }

  @Test
  void aKeyRenamedToAnotherTenantIsForged() {
    String text = ApiKey.mint(ACME, CLUSTER, random).text();
    assertInstanceOf(ApiKey.Forged.class, parse(text.replace("rh_acme_", "rh_globex_")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "rh_",
        "rh___",
        "rh_acme",
        "rh_acme_",
        "sk-proj-123",
        "rh_ACME_aaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "rh__aaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "rh_acme_aaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "rh_acme_aaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaé",
        "RH_acme_aaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      })
  void anotherShapeIsMalformed(String text) {
    assertInstanceOf(ApiKey.Malformed.class, parse(text));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void anyTextHasAResultAndNoneIsValid(long seed) {
    Random any = new Random(seed);
    String alphabet = "rh_acme0Zz-\u0000\uD800\uDC00 é\n";
    String minted = ApiKey.mint(ACME, CLUSTER, any).text();
    for (int i = 0; i < 5_000; i++) {
      StringBuilder text = new StringBuilder(any.nextBoolean() ? "rh_" : "");
      int length = any.nextInt(140);
      for (int c = 0; c < length; c++) {
        text.append(alphabet.charAt(any.nextInt(alphabet.length())));
      }
      assertFalse(parse(text.toString()) instanceof ApiKey.Valid);
      // A true key that is cut, repeated or spliced.
      int at = any.nextInt(minted.length());
      assertFalse(parse(minted.substring(at) + text) instanceof ApiKey.Valid && at > 0);
      assertFalse(parse(minted.substring(0, at) + text) instanceof ApiKey.Valid);
    }
  }

  @Test
  void aKeyIsComparedByItsHash() {
    ApiKey.Minted minted = ApiKey.mint(ACME, CLUSTER, random);
    ApiKey.Minted other = ApiKey.mint(ACME, CLUSTER, random);
    ApiKey.Valid valid = (ApiKey.Valid) parse(minted.text());
    assertTrue(valid.isKeyOf(entry(minted.key())));
    assertFalse(valid.isKeyOf(entry(other.key())));
  }

  @Test
  void aMintedKeyDoesNotPrintItsSecret() {
    ApiKey.Minted minted = ApiKey.mint(ACME, CLUSTER, random);
    assertFalse(minted.toString().contains(minted.text()));
  }

  private static KeyEntry entry(NewKey key) {
    return new KeyEntry(
        key.id(),
        key.secretSha256(),
        "default",
        Set.of(Scope.INFERENCE),
        Instant.EPOCH,
        null,
        null,
        List.of());
  }

  private static ApiKey.Parsed parse(String text) {
    return ApiKey.parse(text, CLUSTER);
  }

  @Nested
  class TheClusterSecret {
    @TempDir Path directory;

    @Test
    void isMadeOnceAndReadAgain() throws IOException {
      ClusterSecret made = ClusterSecret.load(directory, Map.of(), random);
      ClusterSecret read = ClusterSecret.load(directory, Map.of(), random);
      String key = ApiKey.mint(ACME, made, random).text();
      assertInstanceOf(ApiKey.Valid.class, ApiKey.parse(key, read));
      Path file = directory.resolve(ClusterSecret.FILE_NAME);
      assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
      assertEquals(65, Files.size(file));
    }

    @Test
    void comesFromTheEnvironmentWhereItIsSet() throws IOException {
      Map<String, String> environment =
          Map.of(ClusterSecret.VARIABLE, "0123456789abcdef0123456789abcdef");
      ClusterSecret secret = ClusterSecret.load(directory, environment, random);
      String key = ApiKey.mint(ACME, CLUSTER, random).text();
      assertInstanceOf(ApiKey.Valid.class, ApiKey.parse(key, secret));
      assertFalse(Files.exists(directory.resolve(ClusterSecret.FILE_NAME)));
    }

    @Test
    void isRefusedWhenShort() {
      assertThrows(
          IllegalArgumentException.class,
          () -> ClusterSecret.load(directory, Map.of(ClusterSecret.VARIABLE, "short"), random));
    }

    @Test
    void isNotReplacedWhenItsFileIsCut() throws IOException {
      Files.writeString(directory.resolve(ClusterSecret.FILE_NAME), "cut");
      IOException e =
          assertThrows(IOException.class, () -> ClusterSecret.load(directory, Map.of(), random));
      assertTrue(String.valueOf(e.getMessage()).contains("damaged"));
    }
  }
}
