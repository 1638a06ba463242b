package dev.rowhouse.usage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializers;

/**
 * What the first version wrote, as values; {@code main} wrote the files of it. A later version adds
 * files of its own and never changes these.
 */
final class JournalFixture {
  static final String ATTEMPT_1 = "019cd7a5-8c00-7aaa-8000-000000000001";
  static final String ATTEMPT_2 = "019cd7a5-8c01-7bbb-9000-000000000002";
  static final String ATTEMPT_3 = "019cd7a5-8c02-7ccc-a000-000000000003";
  static final LedgerRules RULES =
      new LedgerRules(Duration.ofMinutes(30).toMillis(), 1_000, Duration.ofMinutes(20).toMillis());
  private static final long TIME = Instant.parse("2026-03-10T12:00:00Z").toEpochMilli();

  private JournalFixture() {}

  static LedgerEvent.SegmentOpened opened() {
    return new LedgerEvent.SegmentOpened(
        3, TIME, "node-1", new Totals(1, 2, 3, 4, 5, 6, 7), Map.of(1L, 20L, 2L, 4_000_000_000L));
  }

  static LedgerEvent.Recorded recorded() {
    UsageRecord full =
        new UsageRecord(
            ATTEMPT_1,
            TIME,
            "k7",
            "small",
            "small-2026-01",
            1_234,
            56,
            UsageRecord.Status.FAILED,
            502,
            "upstream_error",
            true,
            true,
            2_500,
            -1,
            12,
            "exact",
            "their-id ü",
            9_876_543_210L,
            3);
    UsageRecord least =
        new UsageRecord(
            ATTEMPT_2,
            TIME + 1,
            "k7",
            "small",
            "",
            0,
            0,
            UsageRecord.Status.CANCELLED,
            200,
            null,
            false,
            false,
            0,
            0,
            0,
            UsageRecord.MISS,
            null,
            0,
            0);
    return new LedgerEvent.Recorded(List.of(full, least), List.of(start()));
  }

  static StartedEntry start() {
    return new StartedEntry(ATTEMPT_3, TIME + 2, "k8", "large", 4_096);
  }

  static LedgerState state() {
    LedgerState state = new LedgerState(RULES, ZoneOffset.UTC);
    state.apply(3, 1, opened());
    state.apply(3, 2, recorded());
    return state;
  }

  static Map<String, Object> all() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("segment-opened", opened());
    all.put("recorded", recorded());
    all.put("snapshot", state().snapshot(Instant.ofEpochMilli(TIME + 3)));
    return all;
  }

  /** A line with the serializer's number, one with the manifest, one with the bytes. */
  static String text(Serialization serialization, Object value) {
    var serializer = serialization.findSerializerFor(value);
    return serializer.identifier()
        + "\n"
        + Serializers.manifestFor(serializer, value)
        + "\n"
        + Base64.getEncoder().encodeToString(serializer.toBinary(value))
        + "\n";
  }

  static Object value(Serialization serialization, String text) {
    List<String> lines = text.lines().toList();
    return serialization
        .deserialize(
            Base64.getDecoder().decode(lines.get(2)), Integer.parseInt(lines.get(0)), lines.get(1))
        .get();
  }

  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    Files.createDirectories(directory);
    ActorTestKit kit = ActorTestKit.create("fixture", House.config(directory, ""));
    Serialization serialization = SerializationExtension.get(kit.system());
    for (Map.Entry<String, Object> entry : all().entrySet()) {
      Files.writeString(
          directory.resolve(entry.getKey() + ".txt"), text(serialization, entry.getValue()));
    }
    kit.shutdownTestKit();
  }
}
