package dev.rowhouse;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.JournalWatch;
import dev.rowhouse.journal.Storage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A node's place in its cluster, as the environment names it: which nodes it looks for first, and
 * which roles it takes. Lists cannot be written as HOCON in a variable by most people at once, so
 * {@code host:port,host:port} and {@code gateway,tenant} are understood.
 */
final class ClusterPlace {
  static final String SEED_NODES = "ROWHOUSE_SEED_NODES";
  static final String ROLES = "ROWHOUSE_ROLES";

  static final String GATEWAY = "gateway";
  static final String TENANT = "tenant";
  static final String WORKER = "worker";

  static final String SEEDS = "pekko.cluster.seed-nodes";

  /** Whether nodes find each other through a directory. */
  static final String BOOTSTRAP = "rowhouse.cluster.bootstrap";

  private static final String NEW_CLUSTER =
      "pekko.management.cluster.bootstrap.new-cluster-enabled";

  private static final Set<String> KNOWN_ROLES = Set.of(GATEWAY, TENANT, WORKER);
  private static final Pattern SEED = Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^\\s:/@]+):(\\d{1,5})");
  private static final int PORT_MAX = 65_535;

  private ClusterPlace() {}

  /** Settings that win over conf/. */
  static Map<String, Object> settings(Map<String, String> environment) {
    Map<String, Object> settings = new HashMap<>();
    List<String> seeds = items(environment.getOrDefault(SEED_NODES, ""));
    if (!seeds.isEmpty()) {
      settings.put(SEEDS, seeds.stream().map(ClusterPlace::seedAddress).toList());
    }
    List<String> roles = items(environment.getOrDefault(ROLES, ""));
    if (!roles.isEmpty()) {
      settings.put("pekko.cluster.roles", roles);
    }
    settings.put("pekko.cluster.app-version", Node.version());
    settings.put("rowhouse.cluster.wire-format", WireFormat.VERSION);
    return settings;
  }

  /** Says what is wrong with roles and addresses before the long part of the start. */
  static void check(Config config) {
    for (String role : config.getStringList("pekko.cluster.roles")) {
      if (!KNOWN_ROLES.contains(role)) {
        throw new StartFailure(
            StartFailure.CONFIG,
            "There is no role '"
                + role
                + "'. "
                + ROLES
                + " (pekko.cluster.roles) takes gateway, tenant and worker, with a comma between"
                + " two.");
      }
    }
    if (config.getStringList("pekko.cluster.roles").isEmpty()) {
      throw new StartFailure(
          StartFailure.CONFIG,
          "This node has no role. " + ROLES + " takes gateway, tenant and worker.");
    }
    boolean hasSeeds = !config.getStringList(SEEDS).isEmpty();
    boolean isBootstrapped = config.getBoolean(BOOTSTRAP);
    if (hasSeeds && isBootstrapped) {
      throw new StartFailure(
          StartFailure.CONFIG,
          "This node has seed nodes, and "
              + BOOTSTRAP
              + " is on. Leave "
              + SEED_NODES
              + " out, or the profile that turns it on.");
    }
    if ((hasSeeds || isBootstrapped) && config.getInt("pekko.remote.artery.canonical.port") == 0) {
      throw new StartFailure(
          StartFailure.CONFIG,
          "A node that looks for others needs a port that they know: set ROWHOUSE_ARTERY_PORT,"
              + " and ROWHOUSE_ARTERY_HOST to an address that they reach.");
    }
  }

  /**
   * The configuration with which no second cluster begins. The first of the seed nodes begins one
   * when no other answers, and so does a node that a directory names alone; but when it was put
   * out, and started again while it is still cut off, the others live. The journal knows: they
   * write their beats there. Then this node only looks for them.
   */
  static Config besideOthers(Config config, Storage storage) {
    List<String> seeds = config.getStringList(SEEDS);
    Config canonical = config.getConfig("pekko.remote.artery.canonical");
    String self =
        "pekko://"
            + Node.NAME
            + "@"
            + canonical.getString("hostname")
            + ":"
            + canonical.getInt("port");
    boolean isBootstrapped = config.getBoolean(BOOTSTRAP);
    boolean mayBegin = isBootstrapped || (seeds.size() > 1 && seeds.getFirst().equals(self));
    if (!mayBegin
        || !JournalWatch.othersBeat(
            storage, self, config.getDuration("rowhouse.cluster.others-beat"))) {
      return config;
    }
    if (isBootstrapped) {
      return ConfigFactory.parseMap(Map.of(NEW_CLUSTER, false)).withFallback(config);
    }
    List<String> others = seeds.stream().filter(seed -> !seed.equals(self)).toList();
    return ConfigFactory.parseMap(Map.of(SEEDS, others)).withFallback(config);
  }

  private static String seedAddress(String seed) {
    Matcher parts = SEED.matcher(seed);
    if (!parts.matches() || Integer.parseInt(parts.group(2)) > PORT_MAX) {
      throw new StartFailure(
          StartFailure.CONFIG,
          SEED_NODES
              + " has '"
              + seed
              + "', which is no host:port. Write host:port,host:port with each node's artery"
              + " address; the first is the one that may begin a new cluster.");
    }
    return "pekko://" + Node.NAME + "@" + seed;
  }

  private static List<String> items(String list) {
    List<String> items = new ArrayList<>();
    for (String item : list.split(",", -1)) {
      if (!item.isBlank()) {
        items.add(item.trim());
      }
    }
    return List.copyOf(items);
  }
}
