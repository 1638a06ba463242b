package dev.rowhouse.tenant;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.KeyStore;
import dev.rowhouse.tenant.DataKey.Purpose;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DataKeysTest {
  private static final TenantId ACME = new TenantId("acme");
  private static final TenantId GLOBEX = new TenantId("globex");

  private final Database database = KeysFixture.database();
  private Instant now = Instant.parse("2026-03-01T10:00:00Z");
  private final InstantSource clock = () -> now;
  private final DataKeys keys =
      KeysFixture.keys(database, Runnable::run, clock, KeysFixture.MASTER);

  @AfterEach
  void close() {
    database.close();
  }

  @ParameterizedTest
  @EnumSource(Purpose.class)
  void opensWhatItSealedAsThatTenantAndForThatPurposeOnly(Purpose purpose) {
    DataKey key = keys.obtain(ACME);
    byte[] sealed = key.seal(purpose, "secret".getBytes(UTF_8));
    assertEquals("secret", opened(key.open(purpose, sealed)));
    for (Purpose other : Purpose.values()) {
      if (other != purpose) {
        assertInstanceOf(DataKey.Damaged.class, key.open(other, sealed));
      }
    }
    assertInstanceOf(DataKey.Damaged.class, keys.obtain(GLOBEX).open(purpose, sealed));
  }

  @Test
  void anyFlippedBitIsSeen() {
    DataKey key = keys.obtain(ACME);
    byte[] sealed = key.seal(Purpose.CHUNK_TEXT, "secret".getBytes(UTF_8));
    for (int i = 0; i < sealed.length; i++) {
      byte[] changed = sealed.clone();
      changed[i] ^= 1;
      DataKey.Opening opening = key.open(Purpose.CHUNK_TEXT, changed);
      assertFalse(opening instanceof DataKey.Opened, "byte " + i);
    }
    assertInstanceOf(DataKey.Damaged.class, key.open(Purpose.CHUNK_TEXT, new byte[0]));
    assertInstanceOf(DataKey.Damaged.class, key.open(Purpose.CHUNK_TEXT, new byte[] {1, 0, 0, 0}));
  }

  @Test
  void aTextIsSealedEachTimeAnewAndOneThatNeverWasIsWhatItIs() {
    DataKey key = keys.obtain(ACME);
    String sealed = key.seal(Purpose.USAGE_LABEL, "büro-7");
    assertTrue(sealed.matches("~1:[A-Za-z0-9_-]+"), sealed);
    assertNotEquals(sealed, key.seal(Purpose.USAGE_LABEL, "büro-7"));
    assertEquals("büro-7", opened(key.open(Purpose.USAGE_LABEL, sealed)));
    assertEquals("büro-7", opened(key.open(Purpose.USAGE_LABEL, "büro-7")));
    assertInstanceOf(DataKey.Damaged.class, key.open(Purpose.USAGE_LABEL, "~1:%%%"));
  }

  @Test
  void isTheSameKeyOnEveryNodeAndAfterAStart() {
    byte[] sealed = keys.obtain(ACME).seal(Purpose.FILE_NAME, "a".getBytes(UTF_8));
    DataKeys other = KeysFixture.keys(database, Runnable::run);
    assertEquals("a", opened(other.obtain(ACME).open(Purpose.FILE_NAME, sealed)));
    assertEquals(1, other.obtain(ACME).generation());
  }

  @Test
  void ofManyThatMakeItAtOnceAllHaveTheSame() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<CompletableFuture<byte[]>> all =
          java.util.stream.IntStream.range(0, 8)
              .mapToObj(
                  _ ->
                      CompletableFuture.supplyAsync(
                          () ->
                              KeysFixture.keys(database, Runnable::run)
                                  .obtain(ACME)
                                  .seal(Purpose.FILE_NAME, "a".getBytes(UTF_8)),
                          threads))
              .toList();
      for (CompletableFuture<byte[]> sealed : all) {
        assertEquals("a", opened(keys.obtain(ACME).open(Purpose.FILE_NAME, sealed.get())));
      }
    }
    assertEquals(1, keys.obtain(ACME).generation());
  }

  @Test
  void aDestroyedKeyOpensNothingAndTheNextOneIsAnother() {
    DataKey key = keys.obtain(ACME);
    String sealed = key.seal(Purpose.DISPLAY_NAME, "Acme");
    keys.destroy(ACME);
    DataKeys.Destroyed destroyed = assertInstanceOf(DataKeys.Destroyed.class, keys.find(ACME));
    assertEquals(now, destroyed.at());
    assertInstanceOf(DataKey.KeyDestroyed.class, keys.open(ACME, Purpose.DISPLAY_NAME, sealed));
    now = now.plusSeconds(9);
    assertEquals(destroyed, keys.destroy(ACME));
    DataKey next = keys.obtain(ACME);
    assertEquals(2, next.generation());
    assertInstanceOf(DataKey.KeyDestroyed.class, next.open(Purpose.DISPLAY_NAME, sealed));
    KeyStore.Generation row = KeyStore.open(database).latest("acme");
    assertNotNull(row);
    assertEquals(2, row.generation());
  }

  @Test
  void anotherNodeForgetsADestroyedKeyWhenItsTimeIsOver() {
    DataKeys other = KeysFixture.keys(database, Runnable::run, clock, KeysFixture.MASTER);
    other.obtain(ACME);
    keys.obtain(ACME);
    keys.destroy(ACME);
    assertInstanceOf(DataKeys.Held.class, other.find(ACME));
    now = now.plusSeconds(60);
    assertInstanceOf(DataKeys.Destroyed.class, other.find(ACME));
  }

  @Test
  void remembersABoundedNumberAndNeedsNoDatabaseForThem() {
    keys.obtain(ACME);
    keys.obtain(GLOBEX);
    keys.obtain(new TenantId("initech"));
    database.close();
    assertInstanceOf(DataKeys.Held.class, keys.find(GLOBEX));
    assertThrows(JournalException.class, () -> keys.find(ACME));
  }

  @Test
  void findsManyWithOneQuestionAndMakesNone() {
    keys.obtain(ACME);
    keys.obtain(GLOBEX);
    keys.destroy(GLOBEX);
    DataKeys fresh = KeysFixture.keys(database, Runnable::run);
    Map<TenantId, DataKey> found = fresh.find(List.of(ACME, GLOBEX, new TenantId("nobody")));
    assertEquals(java.util.Set.of(ACME), found.keySet());
    assertInstanceOf(DataKeys.None.class, fresh.find(new TenantId("nobody")));
  }

  @Test
  void anotherMasterKeyIsRefusedAtOnce() {
    String other = "another master key of many characters";
    assertThrows(
        DataKeys.WrongMasterKey.class,
        () -> KeysFixture.keys(database, Runnable::run, clock, other));
  }

  @Test
  void theFirstStartMakesAMasterKeyForItsOwnerAloneAndALaterOneDoesNot(@TempDir Path directory)
      throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    assertNull(MasterKey.load(directory, Map.of(), random, false));
    MasterKey made = MasterKey.load(directory, Map.of(), random, true);
    MasterKey read = MasterKey.load(directory, Map.of(), random, false);
    assertNotNull(made);
    assertNotNull(read);
    byte[] wrapped = made.wrap(new byte[] {1, 2}, "name");
    assertArrayEquals(new byte[] {1, 2}, read.unwrap(wrapped, "name"));
    assertEquals(
        "rw-------",
        PosixFilePermissions.toString(
            Files.getPosixFilePermissions(directory.resolve(MasterKey.FILE_NAME))));
    assertThrows(java.security.GeneralSecurityException.class, () -> read.unwrap(wrapped, "other"));
    assertThrows(
        IllegalArgumentException.class,
        () -> MasterKey.load(directory, Map.of(MasterKey.VARIABLE, "short"), random, false));
  }

  private static String opened(DataKey.Opening opening) {
    return assertInstanceOf(DataKey.Opened.class, opening).text();
  }
}
