package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.usage.LedgerReply;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * What durable usage costs: one hot tenant, many tenants together, and the reading of it all again.
 * Arguments: seconds, tenants, records offered per second to the hot one and to the many together,
 * and {@code forced} or {@code file} (conf/persistence.conf), or {@code cassandra}: the real one in
 * a process of its own, as the tests have it, whose commit log is forced before it acknowledges.
 */
final class LedgerCost {
  private static final OperatingSystemMXBean PROCESS =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private static final int WARM_UP_SECONDS = 5;
  private static final int OPENING_TOGETHER = 20;

  private LedgerCost() {}

  public static void main(String[] args) throws Exception {
    int seconds = Reports.argument(args, 0, 20);
    int tenants = Reports.argument(args, 1, 1_000);
    int offered = Reports.argument(args, 2, 25_000);
    String files = args.length > 3 ? args[3] : "forced";
    String more = args.length > 4 ? args[4] : "";
    Config conf = conf(files, more);
    ObjectNode figures = new ObjectMapper().createObjectNode();
    figures.put("journal", files);
    figures.put("offered_per_second", offered);
    figures.put("tenants", tenants);
    Path directory = Reports.scratch();
    try {
      try (LedgerNode node = LedgerNode.open(directory, conf)) {
        load(node, List.of("warm"), WARM_UP_SECONDS, offered, figures.putObject("warm_up"));
        load(node, List.of("hot"), seconds, offered, figures.putObject("hot_tenant"));
        List<String> names = new ArrayList<>();
        for (int i = 0; i < tenants; i++) {
          names.add("tenant-" + i);
        }
        if (tenants > 0) {
          load(node, names, seconds, offered, figures.putObject("many_tenants"));
        }
      }
      recover(directory, conf, figures.putObject("recovery_with_snapshots"), false);
      recover(directory, conf, figures.putObject("recovery_from_events"), true);
    } finally {
      delete(directory);
    }
    System.out.println(figures.toPrettyString());
    Reports.write("ledger-" + files, figures);
  }

  private static Config conf(String files, String more) {
    Config own = ConfigFactory.parseString(more);
    if (!files.equals("cassandra")) {
      return own.withFallback(
          ConfigFactory.parseString("rowhouse.journal.embedded-files = " + files));
    }
    Config cassandra = CassandraProcess.config(CassandraProcess.freshName("bench"));
    CassandraProcess.open(cassandra, "events", "journal").close();
    return own.withFallback(cassandra);
  }

  private static void load(
      LedgerNode node, List<String> names, int seconds, int offered, ObjectNode report) {
    LedgerFigures figures = new LedgerFigures();
    List<LedgerNode.Opening> openings = names.stream().map(node::ledger).toList();
    openings.forEach(opening -> opening.opened().join());
    List<LedgerTenant> all =
        openings.stream()
            .map(
                it ->
                    new LedgerTenant(
                        node.system, it.ledger(), (double) offered / names.size(), figures))
            .toList();
    // Each opens its segment: a claim, an opening and a snapshot, which a tenant pays once.
    long opening = System.nanoTime();
    for (int first = 0; first < all.size(); first += OPENING_TOGETHER) {
      CompletableFuture.allOf(
              all.subList(first, Math.min(all.size(), first + OPENING_TOGETHER)).stream()
                  .map(LedgerTenant::open)
                  .toArray(CompletableFuture[]::new))
          .join();
    }
    report.put("opening_seconds", (System.nanoTime() - opening) / 1e9);
    long cpu = PROCESS.getProcessCpuTime();
    long start = System.nanoTime();
    CompletableFuture.allOf(
            all.stream()
                .map(it -> it.run(start, start + seconds * 1_000_000_000L))
                .toArray(CompletableFuture[]::new))
        .join();
    double spent = (System.nanoTime() - start) / 1e9;
    figures.report(report, spent, (PROCESS.getProcessCpuTime() - cpu) / 1e3);
    System.out.println(names.size() + " tenants: " + report);
  }

  private static void recover(
      Path directory, Config conf, ObjectNode report, boolean withoutSnapshots) throws Exception {
    try (LedgerNode node = LedgerNode.open(directory, conf)) {
      if (withoutSnapshots) {
        node.loseSnapshots();
      }
      node.ledger("warm").opened().join();
      long cpu = PROCESS.getProcessCpuTime();
      long start = System.nanoTime();
      LedgerReply.Opened opened = node.ledger("hot").opened().join();
      double spent = (System.nanoTime() - start) / 1e9;
      double cpuSeconds = (PROCESS.getProcessCpuTime() - cpu) / 1e9;
      long records = opened.totals().requests();
      report.put("records", records);
      report.put("seconds", spent);
      report.put("cpu_seconds", cpuSeconds);
      report.put("records_per_cpu_second", Math.round(records / cpuSeconds));
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
