package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.bench.ChatConnection.Outcome;
import dev.rowhouse.bench.ChatConnection.Work;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a tenant notices of a neighbour that floods: a hundred tenants at a load below capacity;
 * then one of them sends a hundred times its share of the capacity. Rounds without and with the
 * flood take turns, and both rounds of a pair have the same arrivals of the others, so that what
 * the machine does beside it hits both alike.
 *
 * <p>Arrivals are Poisson streams that do not wait for answers. What is refused to the flooder is
 * counted apart.
 *
 * <p>Arguments: pairs of rounds (4), seconds of a round (30), slots (64), load in percent (60).
 */
public final class NoisyNeighbour {
  private static final String MODEL = "timed";
  private static final int TENANTS = 100;
  private static final int FLOOD_FACTOR = 100;
  private static final int INPUT_TOKENS = 50;
  private static final int INPUT_MICROS = 100;
  private static final int OUTPUT_MICROS = 4_000;
  private static final int OUTPUT_TOKENS_MIN = 100;
  private static final int OUTPUT_TOKENS_MAX = 600;

  /** The flooder's requests beyond it are refused, as its plan would have it. */
  private static final int QUEUE_LENGTH = 50;

  /** The first round only warms up. */
  private static final int WARM_UP_PAIRS = 1;

  private NoisyNeighbour() {}

  /** A request that is due at a time of the round, of the tenant with that number. */
  private record Arrival(long nanos, int tenant, Work work) {}

  /** One round: what the others and the flooder got of it. */
  private record Round(
      List<Outcome> others, List<Outcome> flooder, CpuTimes cpu, long messages, double seconds) {

    static Stream<Outcome> answered(List<Outcome> outcomes) {
      return outcomes.stream().filter(Outcome::ok);
    }

    double p(double quantile) {
      return Figures.quantile(answered(others).mapToDouble(Outcome::millis), quantile);
    }

    int requests() {
      return others.size() + flooder.size();
    }
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    int pairs = Reports.argument(args, 0, 4);
    Duration length = Duration.ofSeconds(Reports.argument(args, 1, 30));
    int slots = Reports.argument(args, 2, 64);
    double load = Reports.argument(args, 3, 60) / 100.0;
    double outputTokens = (OUTPUT_TOKENS_MIN + OUTPUT_TOKENS_MAX) / 2.0;
    double meanSeconds = (1.0 * INPUT_TOKENS * INPUT_MICROS + outputTokens * OUTPUT_MICROS) / 1e6;
    double capacity = slots / meanSeconds;
    double flood = FLOOD_FACTOR * capacity / TENANTS;
    System.out.printf(
        "%d slots serve %.0f requests/s; %d tenants send %.0f, the flooder %.0f more%n",
        slots, capacity, TENANTS, load * capacity, flood);
    List<Round> without = new ArrayList<>();
    List<Round> with = new ArrayList<>();
    try (Stage stage = Stage.open(INPUT_MICROS, OUTPUT_MICROS)) {
      stage.model(MODEL, slots);
      List<Crowd> crowds = new ArrayList<>();
      for (int i = 0; i < TENANTS; i++) {
        String tenant = "tenant-" + i;
        crowds.add(new Crowd(stage.tenant(tenant, 1, QUEUE_LENGTH), stage.port()));
      }
      for (int pair = 1 - WARM_UP_PAIRS; pair <= pairs; pair++) {
        List<Arrival> calm = arrivals(pair, load * capacity, 0, length);
        List<Arrival> wild = arrivals(pair, load * capacity, flood, length);
        boolean floodFirst = pair % 2 == 0;
        Round first = round(stage, crowds, floodFirst ? wild : calm, length);
        Round second = round(stage, crowds, floodFirst ? calm : wild, length);
        if (pair > 0) {
          without.add(floodFirst ? second : first);
          with.add(floodFirst ? first : second);
        }
        print(pair, "without", floodFirst ? second : first);
        print(pair, "flooded", floodFirst ? first : second);
      }
      crowds.forEach(Crowd::close);
    }
    report(without, with, slots, load);
    System.exit(0);
  }

  /** The others' arrivals depend on the pair alone; tenant 0 is the flooder. */
  private static List<Arrival> arrivals(int seed, double rate, double flood, Duration length) {
    List<Arrival> arrivals = new ArrayList<>();
    Random random = new Random(seed);
    for (double at = gap(random, rate); at < length.toSeconds(); at += gap(random, rate)) {
      arrivals.add(new Arrival((long) (at * 1e9), random.nextInt(TENANTS), work(random)));
    }
    if (flood > 0) {
      for (double at = gap(random, flood); at < length.toSeconds(); at += gap(random, flood)) {
        arrivals.add(new Arrival((long) (at * 1e9), 0, work(random)));
      }
    }
    arrivals.sort(Comparator.comparingLong(Arrival::nanos));
    return arrivals;
  }

  private static double gap(Random random, double rate) {
    return -Math.log(1 - random.nextDouble()) / rate;
  }

  private static Work work(Random random) {
    int output = random.nextInt(OUTPUT_TOKENS_MIN, OUTPUT_TOKENS_MAX + 1);
    return Work.plain(MODEL, INPUT_TOKENS, output);
  }

  private static Round round(
      Stage stage, List<Crowd> crowds, List<Arrival> arrivals, Duration length)
      throws InterruptedException {
    CpuTimes cpu = stage.cpu();
    long messages = stage.coordinatorMessages();
    long begin = System.nanoTime();
    for (Arrival arrival : arrivals) {
      Progress.sleepUntil(begin + arrival.nanos());
      crowds.get(arrival.tenant()).ask(arrival.work());
    }
    Progress.sleepUntil(begin + length.toNanos());
    Crowd.awaitAnswers(crowds);
    double seconds = (System.nanoTime() - begin) / 1e9;
    cpu = stage.cpu().minus(cpu);
    messages = stage.coordinatorMessages() - messages - 1;
    List<Outcome> others = new ArrayList<>();
    for (Crowd crowd : crowds.subList(1, crowds.size())) {
      others.addAll(crowd.sentBetween(begin, Long.MAX_VALUE));
    }
    return new Round(
        others, crowds.getFirst().sentBetween(begin, Long.MAX_VALUE), cpu, messages, seconds);
  }

  private static void print(int pair, String name, Round round) {
    System.out.printf(
        "%-8s %s  others: %d of %d answered, p50 %.0f, p99 %.0f, most %.0f ms, waited p99 %.0f"
            + " ms%n",
        pair > 0 ? "round " + pair : "warm-up",
        name,
        Round.answered(round.others()).count(),
        round.others().size(),
        round.p(0.5),
        round.p(0.99),
        round.p(1),
        queued(round.others(), 0.99));
    System.out.printf(
        "         flooder: %d of %d answered; %s; coordinator %.2f messages/request%n",
        Round.answered(round.flooder()).count(),
        round.flooder().size(),
        round.cpu().perRequest(round.requests(), round.seconds()),
        (double) round.messages() / round.requests());
  }

  private static double queued(List<Outcome> outcomes, double quantile) {
    return Figures.quantile(Round.answered(outcomes).mapToDouble(Outcome::queueMillis), quantile);
  }

  private static void report(List<Round> without, List<Round> with, int slots, double load)
      throws IOException {
    List<Outcome> calm = others(without);
    List<Outcome> wild = others(with);
    double p99Without = millis(calm, 0.99);
    double p99With = millis(wild, 0.99);
    double ratioOfMedians =
        Reports.median(with.stream().map(round -> round.p(0.99)).toList())
            / Reports.median(without.stream().map(round -> round.p(0.99)).toList());
    double throughput =
        (double) Round.answered(wild).count() / Math.max(1, Round.answered(calm).count());
    System.out.printf("%n%-34s %10s %10s %8s%n", "the others", "without", "flooded", "ratio");
    line("requests sent", calm.size(), wild.size());
    line(
        "answered in full", (int) Round.answered(calm).count(), (int) Round.answered(wild).count());
    line("p50, ms", millis(calm, 0.5), millis(wild, 0.5));
    line("p99, ms (all rounds together)", p99Without, p99With);
    line("waited for a slot, mean, ms", meanQueued(calm), meanQueued(wild));
    line("waited for a slot, p99, ms", queued(calm, 0.99), queued(wild, 0.99));
    System.out.printf("p99, ratio of the rounds' medians: %.3f%n", ratioOfMedians);
    System.out.printf("flooder: %s%n", byAnswer(with));
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report
        .put("pairs", with.size())
        .put("slots", slots)
        .put("load", load)
        .put("p99_ms_without", p99Without)
        .put("p99_ms_flooded", p99With)
        .put("p99_ratio", p99With / p99Without)
        .put("p99_ratio_of_medians", ratioOfMedians)
        .put("throughput_ratio", throughput)
        .put("waited_p99_ms_without", queued(calm, 0.99))
        .put("waited_p99_ms_flooded", queued(wild, 0.99));
    rounds(report, "without", without);
    rounds(report, "flooded", with);
    ObjectNode flooder = report.putObject("flooder_by_answer");
    byAnswer(with).forEach(flooder::put);
    Reports.write("noisy-neighbour", report);
  }

  private static void rounds(ObjectNode report, String name, List<Round> rounds) {
    var all = report.putArray(name);
    for (Round round : rounds) {
      ObjectNode one =
          all.addObject()
              .put("others_sent", round.others().size())
              .put("others_answered", Round.answered(round.others()).count())
              .put("p50_ms", round.p(0.5))
              .put("p99_ms", round.p(0.99))
              .put("coordinator_messages", round.messages())
              .put("requests", round.requests());
      one.set("cpu", round.cpu().json(round.requests(), round.seconds()));
    }
  }

  private static List<Outcome> others(List<Round> rounds) {
    return rounds.stream().flatMap(round -> round.others().stream()).toList();
  }

  private static double millis(List<Outcome> outcomes, double quantile) {
    return Figures.quantile(Round.answered(outcomes).mapToDouble(Outcome::millis), quantile);
  }

  private static double meanQueued(List<Outcome> outcomes) {
    return Round.answered(outcomes).mapToDouble(Outcome::queueMillis).average().orElse(Double.NaN);
  }

  private static void line(String what, double without, double with) {
    System.out.printf("%-34s %10.1f %10.1f %8.3f%n", what, without, with, with / without);
  }

  /** How the flooder's requests ended: "answered", or the code of the refusal. */
  private static Map<String, Integer> byAnswer(List<Round> rounds) {
    Map<String, Integer> counts = new TreeMap<>();
    for (Round round : rounds) {
      for (Outcome outcome : round.flooder()) {
        counts.merge(outcome.ok() ? "answered" : outcome.code(), 1, Integer::sum);
      }
    }
    return counts;
  }
}
