package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.JournalSchema;
import dev.rowhouse.replay.ReplayHouse;
import dev.rowhouse.replay.ReplayReader;
import dev.rowhouse.replay.ReplayRequest;
import dev.rowhouse.replay.ReplaySettings;
import dev.rowhouse.replay.Replays;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.RecordReader;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.AttemptId;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.UsageJournal;
import dev.rowhouse.usage.UsageLedger;
import dev.rowhouse.usage.UsageRecord;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.javadsl.Sink;
import org.jspecify.annotations.Nullable;

/**
 * Records per second of a replay: totals, another price list, a what-if and exports, over a journal
 * of a few tenants on the embedded database. Each is run several times and the fastest counts, with
 * its processor time; a replay has one thread, beside those that fetch rows for it.
 *
 * <p>Arguments: records of each tenant (500,000), tenants (2), runs (4).
 */
public final class ReplaySpeed {
  private static final int BATCH = 400;
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private ReplaySpeed() {}

  /** A house of which only the journal is there. */
  private record JournalOnly(UsageJournal journal) implements ReplayHouse {
    @Override
    public CompletionStage<LedgerReply.Cut> cut(
        TenantId tenant, UsageLedger.@Nullable Buckets buckets) {
      return journal.recovered(tenant, buckets).thenApply(cut -> cut);
    }

    @Override
    public Catalog catalog() {
      return Catalog.EMPTY;
    }

    @Override
    public Plan plan(String name) {
      return new Plan(name, 1, Limits.UNSET, 300_000);
    }

    @Override
    public int workers() {
      return 1;
    }

    @Override
    public String ledger() {
      return "recovered";
    }
  }

  public static void main(String[] args) throws Exception {
    int records = Reports.argument(args, 0, 500_000);
    int tenants = Reports.argument(args, 1, 2);
    int runs = Reports.argument(args, 2, 4);
    Config config = config(Reports.scratch());
    Database database = Database.open(config);
    JournalSchema.create(database);
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "replay", config);
    Fence fence = Fence.open(database, InstantSource.system());
    LedgerSettings ledgers = LedgerSettings.of(config);
    ReplaySettings settings = ReplaySettings.of(config);
    for (int tenant = 0; tenant < tenants; tenant++) {
      fill(system, fence, ledgers, new TenantId("tenant-" + tenant), records);
    }
    UsageJournal journal = new UsageJournal(system, fence, ledgers, settings.attemptsMax());
    Replays replays =
        new Replays(
            system,
            journal,
            new RecordReader(system, ledgers.readJournal()),
            settings,
            FairnessSettings.from(config),
            InstantSource.system());
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report.put("records", (long) records * tenants).put("tenants", tenants).put("batch", BATCH);
    ArrayNode figures = report.putArray("replays");
    String prices = "{\"models\":{\"small\":{\"input_per_million\":1,\"output_per_million\":3}}}";
    for (String body :
        List.of(
            "{\"what\":\"totals\"}",
            "{\"what\":\"price\",\"prices\":" + prices + "}",
            "{\"what\":\"export\"}",
            "{\"what\":\"export\",\"format\":\"csv\"}",
            "{\"what\":\"what_if\",\"tenants\":[\"tenant-0\"],\"weights\":{\"tenant-0\":2}}")) {
      boolean isOne = body.contains("tenants");
      measure(figures, replays, system, journal, body, isOne ? records : records * tenants, runs);
    }
    Reports.write("replay", report);
    System.exit(0);
  }

  private static void measure(
      ArrayNode figures,
      Replays replays,
      ActorSystem<?> system,
      UsageJournal journal,
      String body,
      long records,
      int runs)
      throws Exception {
    double best = Double.MAX_VALUE;
    double bestCpu = 0;
    ReplayRequest request = read(body, replays.settings());
    for (int run = 0; run < runs; run++) {
      long cpu = cpuNanos();
      long begin = System.nanoTime();
      replays
          .begin(request, new JournalOnly(journal), false)
          .toCompletableFuture()
          .get()
          .lines()
          .runWith(Sink.ignore(), system)
          .toCompletableFuture()
          .get();
      double seconds = (System.nanoTime() - begin) / 1e9;
      if (seconds < best) {
        best = seconds;
        bestCpu = (cpuNanos() - cpu) / 1e9;
      }
    }
    System.out.printf(
        "%s: %.0f records/s, %.0f per second of processor%n",
        body, records / best, records / bestCpu);
    figures
        .addObject()
        .put("body", body)
        .put("records", records)
        .put("seconds", best)
        .put("processor_seconds", bestCpu)
        .put("records_per_second", Math.round(records / best))
        .put("records_per_processor_second", Math.round(records / bestCpu));
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static ReplayRequest read(String body, ReplaySettings settings) throws Exception {
    JsonNode json = MAPPER.readTree(body);
    return switch (ReplayReader.read(json, settings)) {
      case Checked.Good<ReplayRequest>(ReplayRequest request) -> request;
      case Checked.Bad<ReplayRequest> bad -> throw new IllegalArgumentException(bad.toString());
    };
  }

  private static void fill(
      ActorSystem<Void> system, Fence fence, LedgerSettings ledgers, TenantId tenant, int records) {
    ActorRef<UsageLedger.Command> ledger =
        system.systemActorOf(
            UsageLedger.create(
                tenant,
                ZoneOffset.UTC,
                system.<LedgerReply.Notice>ignoreRef(),
                fence,
                ledgers,
                "bench",
                InstantSource.system()),
            "ledger-" + tenant,
            Props.empty());
    SplittableRandom random = new SplittableRandom(tenant.hashCode());
    Instant now = Instant.now().minus(Duration.ofHours(2));
    for (int written = 0; written < records; ) {
      List<UsageRecord> batch = new ArrayList<>(BATCH);
      while (batch.size() < BATCH && written < records) {
        now = now.plusMillis(random.nextInt(20));
        batch.add(record(random, now));
        written++;
      }
      long number = written;
      LedgerReply.Append reply =
          AskPattern.<UsageLedger.Command, LedgerReply.Append>ask(
                  ledger,
                  replyTo -> new UsageLedger.Append(number, batch, List.of(), replyTo),
                  PATIENCE,
                  system.scheduler())
              .toCompletableFuture()
              .join();
      if (reply instanceof LedgerReply.AppendFailed failed) {
        throw new IllegalStateException(failed.reason());
      }
    }
    System.out.println(records + " records of " + tenant);
  }

  private static UsageRecord record(SplittableRandom random, Instant now) {
    int output = 10 + random.nextInt(400);
    int queue = random.nextInt(40);
    return new UsageRecord(
        AttemptId.mint(now, random),
        now.toEpochMilli(),
        "key" + random.nextInt(4),
        "small",
        "small",
        20 + random.nextInt(2_000),
        output,
        UsageRecord.Status.COMPLETED,
        200,
        null,
        true,
        false,
        50 + queue + output / 4,
        20,
        queue,
        UsageRecord.MISS,
        null,
        100 + output,
        0);
  }

  private static Config config(Path directory) {
    return ConfigFactory.parseString(
            """
            rowhouse.data-dir = "%s"
            rowhouse.blocking-dispatcher {
              type = Dispatcher
              executor = thread-pool-executor
              thread-pool-executor.fixed-pool-size = 4
            }
            pekko.actor.provider = local
            pekko.loglevel = WARNING
            """
                .formatted(directory.toAbsolutePath()))
        .withFallback(ConfigFactory.parseResources("usage.conf"))
        .withFallback(ConfigFactory.parseResources("replay.conf"))
        .withFallback(ConfigFactory.parseResources("fairness.conf"))
        .withFallback(ConfigFactory.parseResources("persistence.conf"))
        .withFallback(ConfigFactory.parseResources("serialization.conf"))
        .withFallback(ConfigFactory.defaultReference())
        .resolve();
  }
}
