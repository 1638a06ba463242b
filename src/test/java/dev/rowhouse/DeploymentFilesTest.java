package dev.rowhouse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** What docker/ says a second time (ports, names, paths, times) is what conf/ and the code say. */
class DeploymentFilesTest {
  private static final Path DOCKER = Path.of("docker");
  private static final Path KUBERNETES = DOCKER.resolve("kubernetes");

  /** The part of a name that the text formats add to a histogram's. */
  private static final Pattern SUFFIX = Pattern.compile("_(bucket|sum|count)$");

  private final Config conf =
      ConfigFactory.parseFile(Path.of("conf/rowhouse.conf").toFile())
          .withFallback(ConfigFactory.defaultReferenceUnresolved())
          .resolve();
  private final int tenantPort = conf.getInt("rowhouse.http.port");
  private final int operatorPort = conf.getInt("rowhouse.http.operator-port");

  @Test
  void portsAreThoseOfConf() throws IOException {
    String image = text(DOCKER.resolve("Dockerfile"));
    assertEquals(String.valueOf(tenantPort), first(image, "ROWHOUSE_HTTP_PORT=(\\d+)"));
    assertEquals(String.valueOf(operatorPort), first(image, "ROWHOUSE_OPERATOR_PORT=(\\d+)"));
    String artery = first(image, "ROWHOUSE_ARTERY_PORT=(\\d+)");
    assertEquals(tenantPort + " " + operatorPort + " " + artery, first(image, "(?m)^EXPOSE (.*)$"));
    for (int node = 1; node <= 3; node++) {
      Tree service = compose().at("services", "rowhouse-" + node);
      List<String> inside =
          service.at("ports").texts().stream().map(it -> it.replaceAll(".*:", "")).toList();
      assertEquals(List.of(String.valueOf(tenantPort), String.valueOf(operatorPort)), inside);
      assertTrue(
          service.at("ports").texts().stream().allMatch(it -> it.startsWith("127.0.0.1:")),
          "a port is published to this machine only");
      assertEquals(artery, service.at("environment", "ROWHOUSE_ARTERY_PORT").text());
      assertTrue(
          String.join(" ", service.at("healthcheck", "test").texts())
              .contains("/dev/tcp/127.0.0.1/" + operatorPort + " "));
    }
    Map<String, Integer> ports =
        container().at("ports").items().stream()
            .collect(
                Collectors.toMap(
                    it -> it.at("name").text(),
                    it -> Integer.parseInt(it.at("containerPort").text())));
    assertEquals(
        Map.of(
            "tenant-plane",
            tenantPort,
            "operator-plane",
            operatorPort,
            "artery",
            Integer.parseInt(artery),
            "management",
            kubernetesConf().getInt("pekko.management.http.port")),
        ports);
    for (Tree target :
        yaml(DOCKER.resolve("prometheus/prometheus.yml"))
            .getFirst()
            .at("scrape_configs")
            .items()
            .getFirst()
            .at("static_configs")
            .items()
            .getFirst()
            .at("targets")
            .items()) {
      assertTrue(target.text().endsWith(":" + operatorPort), target.text());
    }
  }

  @Test
  void nodesFindEachOtherAsTheManifestsNameThem() throws IOException {
    assertTrue(
        List.of(
                yaml(base("configmap.yaml"))
                    .getFirst()
                    .at("data", "ROWHOUSE_PROFILES")
                    .text()
                    .split(",", -1))
            .contains("kubernetes"));
    Config discovery =
        kubernetesConf().getConfig("pekko.management.cluster.bootstrap.contact-point-discovery");
    Config api = kubernetesConf().getConfig("pekko.discovery.kubernetes-api");
    assertTrue(
        container().at("ports").items().stream()
            .anyMatch(it -> it.at("name").text().equals(discovery.getString("port-name"))));
    assertEquals(api.getString("container-name"), container().at("name").text());
    Map<?, ?> labels = statefulSet().at("spec", "template", "metadata", "labels").map();
    for (String label :
        api.getString("pod-label-selector")
            .formatted(discovery.getString("service-name"))
            .split(",", -1)) {
      String[] parts = label.split("=", -1);
      assertEquals(parts[1], labels.get(parts[0]), label);
    }
    assertTrue(
        discovery.getInt("required-contact-point-nr")
            > Integer.parseInt(statefulSet().at("spec", "replicas").text()) / 2,
        "fewer than a majority could begin two clusters");
    Tree role = yaml(base("rbac.yaml")).get(1).at("rules").items().getFirst();
    assertEquals(List.of("pods"), role.at("resources").texts());
    assertTrue(role.at("verbs").texts().contains("list"));
    assertTrue(
        text(base("network.yaml")).contains("- port: " + discovery.getString("port-name")),
        "nodes may ask each other");
    List<String> environment =
        container().at("env").items().stream().map(it -> it.at("name").text()).toList();
    assertTrue(environment.contains("ROWHOUSE_MANAGEMENT_HOST"), environment.toString());
    assertFalse(environment.contains("ROWHOUSE_SEED_NODES"), environment.toString());
  }

  @Test
  void environmentNamesAreOnesThatTheProgramReads() throws IOException {
    StringBuilder known = new StringBuilder(text(Path.of("src/main/dist/bin/rowhouse")));
    for (Path file : files(Path.of("conf"), ".conf")) {
      known.append(text(file));
    }
    for (Path file : files(Path.of("src/main/java"), ".java")) {
      known.append(text(file));
    }
    Set<String> unknown = new TreeSet<>();
    for (Path file : files(DOCKER, "")) {
      for (String name :
          all(text(file), "\\b(ROWHOUSE_[A-Z_]+)\\s*[:=]|name: (ROWHOUSE_[A-Z_]+)")) {
        String setting = name.replaceAll("_FILE$", "");
        if (!Pattern.compile("\\b" + setting + "\\b").matcher(known).find()) {
          unknown.add(file + ": " + name);
        }
      }
    }
    assertEquals(Set.of(), unknown);
  }

  @Test
  void probesAndScrapesAskForPathsThatTheOperatorPlaneHas() throws IOException {
    Set<String> paths = new TreeSet<>();
    for (Path file : files(Path.of("src/main/java/dev/rowhouse/http"), ".java")) {
      paths.addAll(all(text(file), "\"GET\",\\s*\"(/[a-z]+)\""));
    }
    for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
      Tree get = container().at(probe, "httpGet");
      assertTrue(paths.contains(get.at("path").text()), probe + " " + paths);
      assertEquals("operator-plane", get.at("port").text());
    }
    assertEquals("/alive", container().at("livenessProbe", "httpGet", "path").text());
    assertEquals("/ready", container().at("readinessProbe", "httpGet", "path").text());
    assertTrue(paths.contains("/metrics"));
    assertTrue(
        text(DOCKER.resolve("prometheus/prometheus.yml")).contains("metrics_path: /metrics"));
  }

  @Test
  void aStopIsGivenMoreTimeThanAllPhasesOfAnOrderlyEnd() throws IOException {
    Config shutdown = conf.getConfig("pekko.coordinated-shutdown");
    Duration sum = Duration.ZERO;
    for (String phase : shutdown.getObject("phases").keySet()) {
      sum =
          sum.plus(
              shutdown.hasPath("phases." + phase + ".timeout")
                  ? shutdown.getDuration("phases." + phase + ".timeout")
                  : shutdown.getDuration("default-phase-timeout"));
    }
    Tree pod = statefulSet().at("spec", "template", "spec");
    long kubernetes = Long.parseLong(pod.at("terminationGracePeriodSeconds").text());
    assertTrue(kubernetes > sum.toSeconds(), kubernetes + " s, phases take " + sum);
    String grace = compose().at("services", "rowhouse-1", "stop_grace_period").text();
    assertTrue(
        Long.parseLong(grace.replace("s", "")) > sum.toSeconds(), grace + ", phases take " + sum);
  }

  @Test
  void theDashboardShowsMetricsThatANodeHas() throws IOException {
    Set<String> known = new TreeSet<>();
    for (Path file : files(Path.of("src/main/java/dev/rowhouse/http"), ".java")) {
      known.addAll(all(text(file), "\"(rowhouse_[a-z_]+)\""));
    }
    PrometheusRegistry registry = new PrometheusRegistry();
    JvmMetrics.builder().register(registry);
    ByteArrayOutputStream page = new ByteArrayOutputStream();
    PrometheusTextFormatWriter.create().write(page, registry.scrape());
    known.addAll(all(page.toString(StandardCharsets.UTF_8), "(?m)^([a-z_]+)"));

    JsonNode dashboard =
        new ObjectMapper().readTree(DOCKER.resolve("grafana/dashboards/rowhouse.json").toFile());
    String source =
        yaml(DOCKER.resolve("grafana/provisioning/datasources/prometheus.yaml"))
            .getFirst()
            .at("datasources")
            .items()
            .getFirst()
            .at("uid")
            .text();
    int shown = 0;
    for (JsonNode panel : dashboard.get("panels")) {
      for (JsonNode target : panel.path("targets")) {
        String expression = target.get("expr").asText();
        List<String> names = all(expression, "\\b((?:rowhouse|jvm|process)_[a-z_]+)\\{");
        assertFalse(names.isEmpty(), expression);
        for (String name : names) {
          assertTrue(
              known.contains(name) || known.contains(SUFFIX.matcher(name).replaceFirst("")),
              name + " is no metric of a node");
        }
        assertEquals(source, target.get("datasource").get("uid").asText());
        shown++;
      }
    }
    assertTrue(shown > 0);
  }

  @Test
  void theUserOfTheImageIsTheOneThatPodsRunAs() throws IOException {
    String user = first(text(DOCKER.resolve("Dockerfile")), "(?m)^USER (\\d+):\\d+$");
    for (Path file : List.of(base("nodes.yaml"), base("schema.yaml"))) {
      for (Tree document : yaml(file)) {
        Tree security = document.at("spec", "template", "spec", "securityContext");
        assertEquals(user, security.at("runAsUser").text());
        assertEquals("true", security.at("runAsNonRoot").text());
      }
    }
  }

  @Test
  void secretsHaveNamesAndNoValues() throws IOException {
    Tree example = yaml(KUBERNETES.resolve("overlays/example/secret.example.yaml")).getFirst();
    Map<?, ?> values = example.at("stringData").map();
    assertTrue(values.values().stream().allMatch(""::equals), "an example has no values");
    for (Tree variable : container().at("env").items()) {
      if (variable.at("name").text().endsWith("_FILE")) {
        Path file = Path.of(variable.at("value").text());
        assertTrue(values.containsKey(file.getFileName().toString()), file.toString());
      }
    }
    String make = text(DOCKER.resolve("secrets/make"));
    for (Object secret : compose().at("secrets").map().keySet()) {
      assertTrue(Pattern.compile("\\b" + secret + "\\b").matcher(make).find(), secret.toString());
    }
  }

  @Test
  void kustomizationsNameFilesThatAreThere() throws IOException {
    for (Path file : files(KUBERNETES, "kustomization.yaml")) {
      for (Tree resource : yaml(file).getFirst().at("resources").items()) {
        assertTrue(
            Files.exists(file.resolveSibling(resource.text())), file + ": " + resource.text());
      }
    }
  }

  private static Config kubernetesConf() {
    return ConfigFactory.parseFile(Path.of("conf/kubernetes.conf").toFile())
        .withFallback(ConfigFactory.defaultReferenceUnresolved())
        .resolve();
  }

  private static Path base(String name) {
    return KUBERNETES.resolve("base").resolve(name);
  }

  private static Tree compose() throws IOException {
    return yaml(DOCKER.resolve("compose.yaml")).getFirst();
  }

  private static Tree statefulSet() throws IOException {
    return yaml(base("nodes.yaml")).getFirst();
  }

  private static Tree container() throws IOException {
    return statefulSet().at("spec", "template", "spec", "containers").items().getFirst();
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file);
  }

  /** All files below, but for secrets that somebody made. */
  private static List<Path> files(Path directory, String ending) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(Files::isRegularFile)
          .filter(it -> it.toString().endsWith(ending))
          .filter(it -> !it.startsWith(DOCKER.resolve("secrets")) || it.endsWith("make"))
          .toList();
    }
  }

  /** The first group that is there, of each place that matches. */
  private static List<String> all(CharSequence text, String pattern) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map(DeploymentFilesTest::group)
        .toList();
  }

  private static String group(MatchResult found) {
    for (int i = 1; i <= found.groupCount(); i++) {
      if (found.group(i) != null) {
        return found.group(i);
      }
    }
    throw new IllegalArgumentException("a pattern without a group");
  }

  private static String first(String text, String pattern) {
    List<String> found = all(text, pattern);
    assertFalse(found.isEmpty(), pattern);
    return found.getFirst();
  }

  private static List<Tree> yaml(Path file) throws IOException {
    List<Tree> documents = new ArrayList<>();
    for (Object document : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text(file))) {
      documents.add(new Tree(file.toString(), document));
    }
    return documents;
  }

  /** A place in a file, which says where it is when something is missing there. */
  private record Tree(String where, Object value) {
    Tree at(String... names) {
      Tree place = this;
      for (String name : names) {
        Object next = place.map().get(name);
        if (next == null) {
          throw new AssertionError(place.where + " has no " + name);
        }
        place = new Tree(place.where + " " + name, next);
      }
      return place;
    }

    Map<?, ?> map() {
      if (value instanceof Map<?, ?> map) {
        return map;
      }
      throw new AssertionError(where + " is no map");
    }

    List<Tree> items() {
      if (value instanceof List<?> list) {
        return list.stream().map(it -> new Tree(where, it)).toList();
      }
      throw new AssertionError(where + " is no list");
    }

    List<String> texts() {
      return items().stream().map(Tree::text).toList();
    }

    String text() {
      return value.toString();
    }
  }
}
