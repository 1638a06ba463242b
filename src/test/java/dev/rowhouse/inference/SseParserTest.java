package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.LongStream;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SseParserTest {
  private static List<String> parse(String... parts) throws SseParser.TooLong {
    SseParser parser = new SseParser(1_000);
    List<String> events = new ArrayList<>();
    for (String part : parts) {
      for (byte[] data : parser.feed(ByteString.fromString(part))) {
        events.add(new String(data, StandardCharsets.UTF_8));
      }
    }
    return events;
  }

  @Test
  void anEventIsItsDataLines() throws SseParser.TooLong {
    assertEquals(List.of("a"), parse("data: a\n\n"));
    assertEquals(List.of("a\nb"), parse("data: a\ndata:b\n\n"));
    assertEquals(List.of(" a", ""), parse("data:  a\n\ndata\n\n"));
  }

  @Test
  void everyLineEndOfTheStandardEndsALine() throws SseParser.TooLong {
    assertEquals(List.of("a", "b", "c"), parse("data: a\r\n\r\ndata: b\r\rdata: c\n\n"));
    assertEquals(List.of("a", "b"), parse("data: a\r", "\n\r", "\ndata: b\r\n\r", "\n"));
  }

  @Test
  void commentsNamesAndUnknownFieldsAreSkipped() throws SseParser.TooLong {
    assertEquals(
        List.of("a"), parse("\ufeff: queued\n\nevent: x\nid: 1\ndatax: no\ndata: a\nretry: 3\n\n"));
  }

  @Test
  void anEventWithoutItsEmptyLineIsNotDispatched() throws SseParser.TooLong {
    assertEquals(List.of(), parse("data: a\n"));
  }

  @Test
  void aLineOrEventThatIsTooLongIsRefused() {
    assertThrows(SseParser.TooLong.class, () -> parse("data: " + "x".repeat(1_000)));
    assertThrows(
        SseParser.TooLong.class, () -> parse(("data: " + "x".repeat(400) + "\n").repeat(3)));
  }

  static LongStream seeds() {
    return LongStream.range(0, 300);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void whereTheBytesAreCutDoesNotMatter(long seed) throws SseParser.TooLong {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    String[] ends = {"\n", "\r\n", "\r"};
    StringBuilder stream = new StringBuilder();
    List<String> expected = new ArrayList<>();
    for (int i = random.nextInt(1, 12); i > 0; i--) {
      String end = ends[random.nextInt(ends.length)];
      if (random.nextInt(4) == 0) {
        stream.append(": queued").append(end).append(end);
      }
      List<String> lines = new ArrayList<>();
      for (int j = random.nextInt(1, 3); j > 0; j--) {
        String line = "{\"é\":\"🙂" + "ß".repeat(random.nextInt(30)) + i + "\"}";
        lines.add(line);
        stream.append("data: ").append(line).append(end);
      }
      stream.append(end);
      expected.add(String.join("\n", lines));
    }
    byte[] bytes = stream.toString().getBytes(StandardCharsets.UTF_8);
    SseParser parser = new SseParser(1_000);
    List<String> events = new ArrayList<>();
    for (int at = 0; at < bytes.length; ) {
      int to = Math.min(bytes.length, at + random.nextInt(1, 1 + random.nextInt(1, 40)));
      for (byte[] data : parser.feed(ByteString.fromArray(Arrays.copyOfRange(bytes, at, to)))) {
        events.add(new String(data, StandardCharsets.UTF_8));
      }
      at = to;
    }
    assertEquals(expected, events);
  }
}
