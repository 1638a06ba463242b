package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.bench.ChatConnection.Outcome;
import dev.rowhouse.bench.ChatConnection.Work;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What the coordinator has to do while there are slots for all: the messages that it handles, for
 * each request. Every tenant has a few clients in a closed loop, and there are more slots than
 * clients.
 *
 * <p>Arguments: seconds measured (30), tenants (20), clients of each (2).
 */
public final class Uncontended {
  private static final String MODEL = "timed";
  private static final Duration LEAD = Duration.ofSeconds(15);
  private static final int INPUT_MICROS = 100;
  private static final int OUTPUT_MICROS = 1_000;
  private static final Work WORK = Work.plain(MODEL, 50, 250);

  private Uncontended() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Duration measured = Duration.ofSeconds(Reports.argument(args, 0, 30));
    int tenants = Reports.argument(args, 1, 20);
    int clients = Reports.argument(args, 2, 2);
    int slots = 2 * tenants * clients;
    try (Stage stage = Stage.open(INPUT_MICROS, OUTPUT_MICROS)) {
      stage.model(MODEL, slots);
      List<Crowd> crowds = new ArrayList<>();
      for (int i = 0; i < tenants; i++) {
        String tenant = "tenant-" + i;
        crowds.add(new Crowd(stage.tenant(tenant, 1, 100), stage.port()));
      }
      long from = System.nanoTime() + LEAD.toNanos();
      long until = from + measured.toNanos();
      crowds.forEach(crowd -> crowd.loop(clients, until, () -> WORK));
      Progress.sleepUntil(from);
      CpuTimes cpu = stage.cpu();
      long messages = stage.coordinatorMessages();
      Progress.until(until, "", () -> all(crowds, from, Long.MAX_VALUE).size() + " requests");
      messages = stage.coordinatorMessages() - messages - 1;
      cpu = stage.cpu().minus(cpu);
      Crowd.awaitAnswers(crowds);
      report(all(crowds, from, until), messages, cpu, measured, slots);
      crowds.forEach(Crowd::close);
    }
    System.exit(0);
  }

  private static List<Outcome> all(List<Crowd> crowds, long from, long until) {
    return crowds.stream().flatMap(crowd -> crowd.endedBetween(from, until).stream()).toList();
  }

  private static void report(
      List<Outcome> outcomes, long messages, CpuTimes cpu, Duration measured, int slots)
      throws IOException {
    double seconds = measured.toMillis() / 1e3;
    long failures = outcomes.stream().filter(outcome -> !outcome.ok()).count();
    double perRequest = (double) messages / Math.max(1, outcomes.size());
    double waited = Figures.quantile(outcomes.stream().mapToDouble(Outcome::queueMillis), 0.99);
    System.out.printf(
        "%d slots, %d requests (%.0f/s), %d failed, waited for a slot p99 %.0f ms%n",
        slots, outcomes.size(), outcomes.size() / seconds, failures, waited);
    System.out.println(cpu.perRequest(outcomes.size(), seconds));
    System.out.printf(
        "coordinator: %d messages, %.1f/s, %.4f per request%n",
        messages, messages / seconds, perRequest);
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report
        .put("slots", slots)
        .put("seconds", seconds)
        .put("requests", outcomes.size())
        .put("failures", failures)
        .put("coordinator_messages", messages)
        .put("messages_per_request", perRequest)
        .put("waited_p99_ms", waited)
        .set("cpu", cpu.json(outcomes.size(), seconds));
    Reports.write("uncontended", report);
  }
}
