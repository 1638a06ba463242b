package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.node.NodeProcess;
import dev.rowhouse.node.TenantClient;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The heap that a tenant takes while it is awake: of a node on which so many tenants have each
 * asked something and stay awake, less that of the same node after a restart, when one has.
 *
 * <p>Argument: tenants (2,000).
 */
public final class TenantMemory {
  private static final String MODEL = "static";
  private static final int SLOTS = 64;

  /** Requests at a time; the node makes a tenant with a few commits. */
  private static final int AT_ONCE = 8;

  private static final Pattern USED = Pattern.compile("used (\\d+)K");
  private static final String AWAKE = "-Drowhouse.serving.passivate-after=2h -Xmx2g";

  private TenantMemory() {}

  public static void main(String[] args)
      throws IOException, InterruptedException, ExecutionException {
    int tenants = Reports.argument(args, 0, 2_000);
    Path directory = Reports.scratch();
    Path jvmOptions = NodeProcess.distribution().resolve("conf/jvm.options");
    int port = Child.freePort();
    try (Child _ =
            Child.start(
                directory.resolve("upstream.log"),
                jvmOptions,
                StaticUpstream.class,
                port,
                List.of());
        NodeProcess node =
            NodeProcess.in(directory.resolve("node")).with("ROWHOUSE_JVM_OPTS", AWAKE)) {
      node.start().awaitReady();
      node.operator().addModel(MODEL, URI.create("http://127.0.0.1:" + port + "/v1"), SLOTS);
      List<String> keys = onboard(node, tenants);
      long awake = heapBytes(node.pid());
      node.stop();
      node.start().awaitReady();
      ask(node, keys.getFirst());
      long asleep = heapBytes(node.pid());
      double each = (double) (awake - asleep) / (tenants - 1);
      System.out.printf(
          "%,d tenants awake: %.1f MB of heap; one: %.1f MB; %.0f bytes for each%n",
          tenants, awake / 1e6, asleep / 1e6, each);
      ObjectNode report = JsonNodeFactory.instance.objectNode();
      report.put("tenants", tenants);
      report.put("heap_awake_bytes", awake);
      report.put("heap_asleep_bytes", asleep);
      report.put("bytes_per_tenant_awake", Math.round(each));
      Reports.write("tenant-memory", report);
    }
    System.exit(0);
  }

  private static List<String> onboard(NodeProcess node, int tenants)
      throws InterruptedException, ExecutionException {
    List<Future<String>> made = new ArrayList<>();
    try (ExecutorService clients = Executors.newFixedThreadPool(AT_ONCE)) {
      for (int i = 0; i < tenants; i++) {
        String tenant = "tenant-" + i;
        made.add(
            clients.submit(
                () -> {
                  String key = node.operator().onboard(tenant);
                  ask(node, key);
                  return key;
                }));
      }
      List<String> keys = new ArrayList<>(tenants);
      for (Future<String> key : made) {
        keys.add(key.get());
        if (keys.size() % 500 == 0) {
          System.out.println(keys.size() + " tenants are awake");
        }
      }
      return keys;
    }
  }

  private static void ask(NodeProcess node, String key) {
    TenantClient tenant = node.tenant(key);
    tenant
        .post(
            "/v1/chat/completions",
            """
            {"model": "static", "messages": [{"role": "user", "content": "What is a rowhouse?"}],\
             "rowhouse": {"retrieval": false}}\
            """)
        .expect(200);
  }

  /** What is in use after two full collections. */
  private static long heapBytes(long pid) throws IOException, InterruptedException {
    jcmd(pid, "GC.run");
    jcmd(pid, "GC.run");
    Matcher used = USED.matcher(jcmd(pid, "GC.heap_info"));
    if (!used.find()) {
      throw new IOException("jcmd says nothing of the heap in use");
    }
    return Long.parseLong(used.group(1)) * 1_024;
  }

  private static String jcmd(long pid, String command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(pid),
                command)
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(1, TimeUnit.MINUTES) || process.exitValue() != 0) {
      throw new IOException("jcmd " + command + ": " + said);
    }
    return said;
  }
}
