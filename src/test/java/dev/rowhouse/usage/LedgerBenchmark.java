package dev.rowhouse.usage;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Durable records per second of one hot tenant, one batch after another, by batch length; then the
 * time to read it all again. Arguments: a directory, seconds per length.
 */
final class LedgerBenchmark {
  private static final RandomGenerator RANDOM = new SplittableRandom(1);

  private LedgerBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Files.createDirectories(Path.of(arguments[0]));
    int seconds = Integer.parseInt(arguments[1]);
    String conf = "rowhouse.usage.snapshot-every = 1000\nrowhouse.usage.check-every = 10s";
    try (House house = House.open(directory, conf)) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      run(house, ledger, 100, seconds, false);
      for (int length : List.of(1, 10, 100, 200, 400, 1_000)) {
        run(house, ledger, length, seconds, true);
      }
    }
    long start = System.nanoTime();
    try (House house = House.open(directory, conf)) {
      long opened = System.nanoTime();
      Totals totals = house.ledger().opened().totals();
      long loaded = System.nanoTime();
      System.out.printf(
          "restart: node %d ms, ledger of %d records %d ms with snapshots%n",
          (opened - start) / 1_000_000, totals.requests(), (loaded - opened) / 1_000_000);
      house.sql("delete from \"snapshot\"");
      long before = System.nanoTime();
      house.ledger().opened();
      System.out.printf(
          "ledger without snapshots %d ms%n", (System.nanoTime() - before) / 1_000_000);
    }
    System.out.printf("file %d MB%n", Files.size(directory.resolve("journal.mv.db")) / 1_000_000);
  }

  private static void run(
      House house, ActorRef<UsageLedger.Command> ledger, int length, int seconds, boolean report) {
    OperatingSystemMXBean process =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long cpu = process.getProcessCpuTime();
    long start = System.nanoTime();
    long end = start + seconds * 1_000_000_000L;
    List<Long> commits = new ArrayList<>();
    while (System.nanoTime() < end) {
      List<UsageRecord> batch = new ArrayList<>(length);
      Instant now = Instant.now();
      for (int i = 0; i < length; i++) {
        batch.add(Sample.record(AttemptId.mint(now, RANDOM), now, 100, 50));
      }
      long sent = System.nanoTime();
      if (house.append(ledger, batch, List.of()) instanceof LedgerReply.AppendFailed failed) {
        throw new IllegalStateException(failed.reason());
      }
      commits.add(System.nanoTime() - sent);
    }
    if (report) {
      long[] sorted = commits.stream().mapToLong(Long::longValue).sorted().toArray();
      double spent = (System.nanoTime() - start) / 1e9;
      double cpuMicros = (process.getProcessCpuTime() - cpu) / 1e3;
      System.out.printf(
          "batch %5d: %8.0f records/s, %6.0f commits/s, commit p50 %.2f ms p99 %.2f ms, CPU %.0f us"
              + " per commit, %.1f us per record%n",
          length,
          commits.size() * (double) length / spent,
          commits.size() / spent,
          sorted[sorted.length / 2] / 1e6,
          sorted[(int) (sorted.length * 0.99)] / 1e6,
          cpuMicros / commits.size(),
          cpuMicros / commits.size() / length);
      if (Arrays.stream(sorted).anyMatch(it -> it > 1_000_000_000L)) {
        System.out.println("a commit took more than a second");
      }
    }
  }
}
