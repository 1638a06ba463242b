package dev.rowhouse.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.serving.Refusal;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @Test
  void takesSixtyFourLevels() {
    assertInstanceOf(Json.Parsed.Document.class, parse(nested(64)));
  }

  @Test
  void refusesSixtyFive() {
    assertTrue(refused(nested(65)).message().contains("64"));
  }

  @Test
  void refusesAHundredThousandLevelsAsQuickly() {
    refused(nested(100_000));
    refused("{\"a\":".repeat(100_000));
  }

  @ParameterizedTest(name = "text: {0}")
  @ValueSource(
      strings = {
        "",
        " ",
        "null",
        "[]",
        "\"text\"",
        "1",
        "{",
        "{}}",
        "{} {}",
        "{}x",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":1,\"b\":1}}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":NaN}",
        "{\"a\":01}",
        "{\"a\":\"\\x\"}",
        "{\"a\":1} // no"
      })
  void refusesWhatIsNotOneObject(String text) {
    refused(text);
  }

  @Test
  void refusesWhatIsNotUtf8() {
    refused(ByteString.fromInts('{', '"', 0xff, '"', ':', '1', '}'));
    refused(ByteString.fromInts(0, 0, 0xff, 0xfe, 0, 0, 0, 0));
    refused(ByteString.fromInts(0, 0, '{', 0));
  }

  @Test
  void refusesANumberOfAThousandsOfDigits() {
    refused("{\"a\":" + "9".repeat(5_000) + "}");
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void saysYesOrNoToAnyBytes(long seed) {
    Random random = new Random(seed);
    byte[] good =
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"h\u00e9\"}],\"n\":1.5e3}"
            .getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 5_000; i++) {
      byte[] bytes = good.clone();
      if (i % 2 == 0) {
        bytes = new byte[1 + random.nextInt(40)];
        random.nextBytes(bytes);
        for (int zero = random.nextInt(4); zero > 0; zero--) {
          bytes[random.nextInt(bytes.length)] = 0;
        }
      } else {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      assertNotNull(Json.parseObject(ByteString.fromArray(bytes)));
    }
  }

  private static String nested(int levels) {
    return "{\"a\":".repeat(levels - 1) + "{}" + "}".repeat(levels - 1);
  }

  private static Json.Parsed parse(String text) {
    return Json.parseObject(ByteString.fromString(text));
  }

  private static Refusal refused(String text) {
    return refused(ByteString.fromString(text));
  }

  private static Refusal refused(ByteString bytes) {
    Refusal refusal = assertInstanceOf(Json.Parsed.Broken.class, Json.parseObject(bytes)).refusal();
    assertEquals(400, refusal.httpStatus());
    assertEquals("invalid_request_error", refusal.code());
    return refusal;
  }
}
