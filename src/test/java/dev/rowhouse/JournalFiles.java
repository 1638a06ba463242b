package dev.rowhouse;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializers;
import org.jspecify.annotations.Nullable;

/**
 * What versions so far wrote into journals, one value a file of the test resources: a line with the
 * serializer's number, one with the manifest, one with the bytes in Base64. A name is {@code
 * journal-v1/recorded}: the first version that wrote this, and what it is.
 */
public final class JournalFiles implements AutoCloseable {
  private final ActorTestKit kit;
  private final Serialization serialization;

  private JournalFiles(ActorTestKit kit) {
    this.kit = kit;
    this.serialization = SerializationExtension.get(kit.system());
  }

  /** With the serializers and bindings of conf/serialization.conf. */
  public static JournalFiles open() {
    return new JournalFiles(
        ActorTestKit.create(
            "journal-files",
            ConfigFactory.parseString("pekko.actor.provider = local")
                .withFallback(ConfigFactory.parseResources("serialization.conf"))
                .withFallback(ConfigFactory.defaultReference())
                .resolve()));
  }

  public Object kept(String name) throws IOException {
    try (@Nullable InputStream in = JournalFiles.class.getResourceAsStream("/" + name + ".txt")) {
      assertNotNull(in, name);
      return value(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  /** As this version writes it. */
  public String text(Object value) {
    var serializer = serialization.findSerializerFor(value);
    return serializer.identifier()
        + "\n"
        + Serializers.manifestFor(serializer, value)
        + "\n"
        + Base64.getEncoder().encodeToString(serializer.toBinary(value))
        + "\n";
  }

  public Object value(String text) {
    List<String> lines = text.lines().toList();
    return serialization
        .deserialize(
            Base64.getDecoder().decode(lines.get(2)), Integer.parseInt(lines.get(0)), lines.get(1))
        .get();
  }

  /** Writes the files that are not there; what a version wrote is never written again. */
  public static void writeMissing(Path resources, Map<String, Object> values) throws IOException {
    try (JournalFiles files = open()) {
      for (Map.Entry<String, Object> entry : values.entrySet()) {
        Path file = resources.resolve(entry.getKey() + ".txt");
        if (!Files.exists(file)) {
          Files.createDirectories(file.resolveSibling("."));
          Files.writeString(file, files.text(entry.getValue()));
        }
      }
    }
  }

  @Override
  public void close() {
    kit.shutdownTestKit();
  }
}
