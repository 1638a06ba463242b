package dev.rowhouse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/rowhouse} with a `java` that prints what it was given. */
class LauncherTest {
  /** What it printed, and its exit code. */
  private record Printed(int exitCode, String text) {}

  @TempDir Path home;

  @BeforeEach
  void aDistribution() throws IOException {
    for (String directory : List.of("bin", "conf", "lib", "jdk/bin")) {
      Files.createDirectories(home.resolve(directory));
    }
    Path script = home.resolve("bin/rowhouse");
    Files.copy(Path.of("src/main/dist/bin/rowhouse"), script, StandardCopyOption.REPLACE_EXISTING);
    assertTrue(script.toFile().setExecutable(true));
    Files.writeString(home.resolve("conf/jvm.options"), "");
    for (String jar : List.of("b.jar", "a.jar", "A.jar")) {
      Files.createFile(home.resolve("lib").resolve(jar));
    }
    Files.writeString(home.resolve("jdk/release"), "JAVA_VERSION=\"25.0.1\"\n");
    Path java = home.resolve("jdk/bin/java");
    Files.writeString(
        java,
        """
        #!/bin/sh
        for argument in "$@"; do echo "argument=$argument"; done
        echo "key=$ROWHOUSE_MASTER_KEY"
        echo "conf=$ROWHOUSE_CONF"
        """);
    assertTrue(java.toFile().setExecutable(true));
  }

  @Test
  void theClassPathIsTheJarsInTheOrderOfTheirNames() throws Exception {
    String real = home.toRealPath().toString();
    Printed printed = run(Map.of());
    assertTrue(
        printed.text.contains(
            "argument=%1$s/lib/A.jar:%1$s/lib/a.jar:%1$s/lib/b.jar\n".formatted(real)),
        printed.text);
    assertTrue(printed.text.contains("conf=" + real + "/conf\n"), printed.text);
    assertFalse(printed.text.contains("AOT"), printed.text);
  }

  @Test
  void aSecretMayComeInAFile() throws Exception {
    Path secret = home.resolve("a secret");
    String value = "quotes ' \" and $HOME";
    Files.writeString(secret, value + "\n");
    Printed printed = run(Map.of("ROWHOUSE_MASTER_KEY_FILE", secret.toString()));
    assertTrue(printed.text.contains("key=" + value + "\n"), printed.text);
  }

  @Test
  void aSecretsFileThatIsNotThereIsNoSecret() throws Exception {
    Printed printed = run(Map.of("ROWHOUSE_MASTER_KEY_FILE", home + "/none"));
    assertEquals(StartFailure.CONFIG, printed.exitCode);
    assertTrue(printed.text.contains("ROWHOUSE_MASTER_KEY_FILE"), printed.text);
  }

  @Test
  void anAotCacheIsUsedWhereItIsThere() throws Exception {
    Path cache = Files.createFile(home.resolve("rowhouse.aot"));
    assertTrue(
        run(Map.of("ROWHOUSE_AOT_CACHE", cache.toString()))
            .text
            .contains("argument=-XX:AOTCache=" + cache + "\n"));
    assertFalse(run(Map.of("ROWHOUSE_AOT_CACHE", home + "/none")).text.contains("AOT"));
  }

  private Printed run(Map<String, String> settings) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(home.resolve("bin/rowhouse").toString(), "serve");
    Map<String, String> environment = new HashMap<>(settings);
    environment.put("ROWHOUSE_JAVA_HOME", home.resolve("jdk").toString());
    builder.environment().keySet().removeIf(name -> name.startsWith("ROWHOUSE_"));
    builder.environment().putAll(environment);
    Process process = builder.redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Printed(process.waitFor(), text);
  }
}
