package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.rowhouse.JournalFiles;
import java.io.IOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is in the journals of tenants and of the catalog stays readable, whatever this version would
 * write.
 *
 * <p>journal-v1 is what the first version wrote, and is never written again: journals in the world
 * look like it for ever. A version that adds an event, or writes an old one in another way, adds
 * its values to {@link TenantJournalFixture} under {@code journal-v2/}, beside those of v1, and
 * runs its {@code main}, which writes only files that are missing. When an old file no longer reads
 * back, the reading is mended (a default for the new field, a JacksonMigration in
 * conf/serialization.conf), not the file; only the expected value of v1 may then gain what the new
 * field is for an old journal.
 */
final class TenantJournalFormatTest {
  private static final Map<String, Object> VALUES = TenantJournalFixture.all();
  private static final JournalFiles FILES = JournalFiles.open();

  @AfterAll
  static void stop() {
    FILES.close();
  }

  static Set<String> names() {
    return VALUES.keySet();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("names")
  void readsWhatWasWritten(String name) throws IOException {
    assertEquals(VALUES.get(name), FILES.kept(name));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("names")
  void readsWhatItWrites(String name) {
    Object value = VALUES.get(name);
    assertNotNull(value);
    assertEquals(value, FILES.value(FILES.text(value)));
  }

  @Test
  void everyTypeOfTheJournalHasAFile() {
    Set<Class<?>> types =
        Stream.of(TenantEvent.class, CatalogEvent.class)
            .flatMap(root -> Stream.of(root.getPermittedSubclasses()))
            .collect(Collectors.toCollection(HashSet::new));
    types.add(SealedEvent.class);
    types.add(Tenant.class);
    types.add(SealedTenant.class);
    types.add(CatalogOverrides.class);
    Set<Class<?>> kept = VALUES.values().stream().map(Object::getClass).collect(Collectors.toSet());
    assertEquals(types, kept);
  }
}
