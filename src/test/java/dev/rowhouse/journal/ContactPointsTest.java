package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ContactPointsTest {
  private static Config config(String text) {
    return ConfigFactory.parseMap(Map.of(ContactPoints.TEXT, text));
  }

  private static List<String> points(String text) {
    return ContactPoints.spread(config(text)).getStringList(ContactPoints.LIST);
  }

  @Test
  void aTextIsAListWithPorts() {
    assertEquals(List.of("10.0.0.5:9042"), points("10.0.0.5"));
    assertEquals(
        List.of("a.example:1", "[::1]:9042", "b-2:65535"), points("a.example:1, [::1] ,b-2:65535"));
  }

  @ParameterizedTest(name = "\"{0}\"")
  @ValueSource(
      strings = {"", "a,", ",a", "a:0", "a:65536", "a:x", "a b", "a;b", "http://a:1", "::1", "-a"})
  void anEntryThatIsNoneIsNamed(String text) {
    ConfigException e = assertThrows(ConfigException.BadValue.class, () -> points(text));
    String message = String.valueOf(e.getMessage());
    assertTrue(message.contains("is no address of Cassandra"), message);
    assertTrue(message.contains(ContactPoints.TEXT), message);
    assertEquals(1, message.lines().count());
  }

  @Test
  void theDriversOwnListStays() {
    Config own =
        ConfigFactory.parseMap(Map.of(ContactPoints.LIST, List.of("own:1")))
            .withFallback(config("x"));
    assertEquals(List.of("own:1"), ContactPoints.spread(own).getStringList(ContactPoints.LIST));
  }

  @Test
  void namesThatNobodyKnowsAreNotReplacedByThisMachine() {
    Config config = ContactPoints.spread(config("no-such-name.invalid"));
    JournalException e =
        assertThrows(JournalException.class, () -> ContactPoints.requireOneKnown(config));
    assertTrue(String.valueOf(e.getMessage()).contains("no-such-name.invalid:9042"), e.toString());
    ContactPoints.requireOneKnown(ContactPoints.spread(config("no-such-name.invalid,127.0.0.1")));
  }
}
