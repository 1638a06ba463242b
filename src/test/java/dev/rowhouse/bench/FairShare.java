package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.bench.ChatConnection.Outcome;
import dev.rowhouse.bench.ChatConnection.Work;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * How the tokens of a pool are divided among tenants that all want more than there is, measured by
 * the tenants' clients through HTTP: two tenants of weights 1 and 3; twenty equal tenants with very
 * different numbers of clients; twenty equal tenants of which half ask long and half short.
 *
 * <p>Arguments: seconds measured for each (60), slots (16).
 */
public final class FairShare {
  private static final int INPUT_MICROS = 100;
  private static final int OUTPUT_MICROS = 1_000;

  /** Long enough for the first answers, the estimates and the compilers to settle. */
  private static final Duration LEAD = Duration.ofSeconds(15);

  private static final int QUEUE_LENGTH = 10_000;
  private static final int EQUALS = 20;

  private FairShare() {}

  /** A tenant's part in a scenario: its weight, its clients, what they ask. */
  private record Part(String tenant, double weight, int clients, Supplier<Work> work) {}

  /** What a tenant got while it was measured. */
  private record Got(Part part, double cost, double tokens, long requests, long failures) {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Duration measured = Duration.ofSeconds(Reports.argument(args, 0, 60));
    int slots = Reports.argument(args, 1, 16);
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report.put("seconds", measured.toSeconds()).put("slots", slots);
    try (Stage stage = Stage.open(INPUT_MICROS, OUTPUT_MICROS)) {
      report.set("weights_1_and_3", weights(stage, slots, measured));
      report.set(
          "twenty_with_1_to_20_times_the_clients",
          equals(
              stage,
              "rates",
              slots,
              measured,
              i -> new Part("rates-" + i, 1, 3 * i, () -> logUniform("rates", 10, 1_000))));
      report.set(
          "twenty_half_long_half_short",
          equals(
              stage,
              "mixed",
              slots,
              measured,
              i ->
                  new Part(
                      "mixed-" + i,
                      1,
                      i % 2 == 0 ? 10 : 40,
                      i % 2 == 0
                          ? () -> logUniform("mixed", 500, 1_000)
                          : () -> logUniform("mixed", 10, 50))));
    }
    Reports.write("fair-share", report);
    // The HTTP client's threads would keep this process for a while.
    System.exit(0);
  }

  private static ObjectNode weights(Stage stage, int slots, Duration measured)
      throws IOException, InterruptedException {
    List<Part> parts =
        Stream.of(1, 3)
            .map(
                weight ->
                    new Part(
                        "weight-" + weight,
                        weight,
                        4 * slots,
                        () -> logUniform("weights", 50, 200)))
            .toList();
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    List<Got> got = run(stage, "weights", slots, measured, parts, report);
    double ratio = got.get(1).tokens() / got.get(0).tokens();
    System.out.printf(
        "weights 1 and 3: tokens 1 : %.3f, %.1f %% from 1 : 3%n", ratio, 100 * (ratio / 3 - 1));
    return report.put("tokens_ratio", ratio);
  }

  private static ObjectNode equals(
      Stage stage, String model, int slots, Duration measured, IntFunction<Part> part)
      throws IOException, InterruptedException {
    List<Part> parts = new ArrayList<>();
    for (int i = 1; i <= EQUALS; i++) {
      parts.add(part.apply(i));
    }
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    List<Got> got = run(stage, model, slots, measured, parts, report);
    double index = Figures.jain(got.stream().mapToDouble(Got::cost).toArray());
    System.out.printf("%s: Jain's index of the cost %.4f%n", model, index);
    return report.put("jain_cost", index);
  }

  private static List<Got> run(
      Stage stage, String model, int slots, Duration measured, List<Part> parts, ObjectNode report)
      throws IOException, InterruptedException {
    stage.model(model, slots);
    List<Crowd> crowds = new ArrayList<>();
    for (Part part : parts) {
      crowds.add(new Crowd(stage.tenant(part.tenant(), part.weight(), QUEUE_LENGTH), stage.port()));
    }
    System.out.printf("%n%s: %d tenants, %d slots%n", model, parts.size(), slots);
    long from = System.nanoTime() + LEAD.toNanos();
    long until = from + measured.toNanos();
    for (int i = 0; i < parts.size(); i++) {
      crowds.get(i).loop(parts.get(i).clients(), until, parts.get(i).work());
    }
    Progress.sleepUntil(from);
    CpuTimes cpu = stage.cpu();
    Progress.until(until, "  ", () -> served(crowds, from));
    cpu = stage.cpu().minus(cpu);
    List<Got> got = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      got.add(got(parts.get(i), crowds.get(i).endedBetween(from, until)));
    }
    Crowd.awaitAnswers(crowds);
    crowds.forEach(Crowd::close);
    print(got, cpu, slots, measured, report);
    return got;
  }

  private static String served(List<Crowd> crowds, long from) {
    double[] costs =
        crowds.stream()
            .mapToDouble(crowd -> got(crowd.endedBetween(from, Long.MAX_VALUE)))
            .toArray();
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < costs.length; i++) {
      line.append(i == 0 ? "" : " ").append(Math.round(costs[i] / 1e3));
    }
    return "cost so far, thousands: " + line;
  }

  private static double got(List<Outcome> outcomes) {
    return outcomes.stream().mapToDouble(Outcome::cost).sum();
  }

  private static Got got(Part part, List<Outcome> outcomes) {
    return new Got(
        part,
        got(outcomes),
        outcomes.stream().mapToDouble(Outcome::tokens).sum(),
        outcomes.stream().filter(Outcome::ok).count(),
        outcomes.stream().filter(outcome -> !outcome.ok()).count());
  }

  private static void print(
      List<Got> all, CpuTimes cpu, int slots, Duration measured, ObjectNode report) {
    double seconds = measured.toMillis() / 1e3;
    double cost = all.stream().mapToDouble(Got::cost).sum();
    long requests = all.stream().mapToLong(Got::requests).sum();
    long failures = all.stream().mapToLong(Got::failures).sum();
    double busy = all.stream().mapToDouble(FairShare::slotSeconds).sum() / (slots * seconds);
    System.out.printf(
        "  %-12s %6s %7s %9s %9s %8s %7s%n",
        "tenant", "weight", "clients", "cost", "tokens", "requests", "failed");
    var tenants = report.putArray("tenants");
    for (Got got : all) {
      System.out.printf(
          "  %-12s %6.0f %7d %9.0f %9.0f %8d %7d%n",
          got.part().tenant(),
          got.part().weight(),
          got.part().clients(),
          got.cost(),
          got.tokens(),
          got.requests(),
          got.failures());
      tenants
          .addObject()
          .put("tenant", got.part().tenant())
          .put("weight", got.part().weight())
          .put("clients", got.part().clients())
          .put("cost", got.cost())
          .put("tokens", got.tokens())
          .put("requests", got.requests())
          .put("failures", got.failures())
          .put("share", got.cost() / cost);
    }
    System.out.printf(
        "  %.0f requests/s, %d failed, slots computing %.1f %% of the time%n  %s%n",
        requests / seconds, failures, 100 * busy, cpu.perRequest(requests, seconds));
    report
        .put("requests", requests)
        .put("failures", failures)
        .put("slots_computing", busy)
        .set("cpu", cpu.json(requests, seconds));
  }

  /** The time that the upstream took for these answers. */
  private static double slotSeconds(Got got) {
    double output = got.cost() - got.tokens();
    return ((got.tokens() - output) * INPUT_MICROS + output * OUTPUT_MICROS) / 1e6;
  }

  /** Many short answers, few long ones; a prompt of half the length. */
  private static Work logUniform(String model, int least, int most) {
    int output =
        (int)
            Math.round(
                Math.exp(ThreadLocalRandom.current().nextDouble(Math.log(least), Math.log(most))));
    return Work.plain(model, Math.max(1, output / 2), output);
  }
}
