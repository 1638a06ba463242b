package dev.rowhouse;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rowhouse replay}: figures computed again from the journal. */
final class ReplayCommand {
  private static final JsonMapper MAPPER = new JsonMapper();

  private ReplayCommand() {}

  /** What all replays share. */
  abstract static class Base implements Callable<Integer> {
    private final PrintStream out;
    private final PrintStream err;

    @Mixin private OperatorOptions operator = new OperatorOptions();
    @Mixin private ReplayOptions replay = new ReplayOptions();

    Base(PrintStream out, PrintStream err) {
      this.out = out;
      this.err = err;
    }

    PrintStream out() {
      return out;
    }

    PrintStream err() {
      return err;
    }

    ObjectNode body(String what) {
      return replay.body(what);
    }

    int print(ObjectNode body) {
      return run(
          body,
          answer -> {
            LinePrinter printer = new LinePrinter(out, err, operator.json());
            BufferedReader lines =
                new BufferedReader(new InputStreamReader(answer, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
              printer.line(line);
            }
            return printer.end();
          });
    }

    int run(ObjectNode body, ReplayOptions.Taking taking) {
      return replay.run(operator, body, err, taking);
    }
  }

  @Command(
      name = "totals",
      description = {
        "Adds all records up again and compares with the running ledgers, to the token.",
        "Times that are whole minutes (for 2 days), hours (90 days) or days can be compared."
      },
      footer = {
        "",
        "Examples",
        "  rowhouse replay totals",
        "  rowhouse replay totals --tenant acme --from 2026-01-01T00:00:00Z --to"
            + " 2026-02-01T00:00:00Z",
        "  rowhouse replay totals --offline --data-dir data --json",
        "",
        "Exit codes: 0 equal, 1 a difference or a row that cannot be read, 2 usage"
      })
  static final class Totals extends Base {
    Totals(PrintStream out, PrintStream err) {
      super(out, err);
    }

    @Override
    public Integer call() {
      return print(body("totals"));
    }
  }

  @Command(
      name = "price",
      description = "Prices all records by another list, beside what was charged.",
      footer = {
        "",
        "The list: {\"models\": {\"NAME\": {\"input_per_million\": 1, \"output_per_million\": 2}}}",
        "",
        "Examples",
        "  rowhouse replay price --prices new-prices.json",
        "  rowhouse replay price --prices - --keep-recorded --tenant acme < new-prices.json"
      })
  static final class Price extends Base {
    @Option(
        names = "--prices",
        paramLabel = "FILE",
        required = true,
        description = "The price list as JSON; - is the standard input.")
    private String prices = "";

    @Option(
        names = "--keep-recorded",
        description = "Models that the list lacks keep what was charged; else they are an error.")
    private boolean keepRecorded;

    Price(PrintStream out, PrintStream err) {
      super(out, err);
    }

    @Override
    public Integer call() {
      ObjectNode body = body("price");
      body.set("prices", read());
      if (keepRecorded) {
        body.put("missing", "keep_recorded");
      }
      return print(body);
    }

    private JsonNode read() {
      try {
        return MAPPER.readTree(
            prices.equals("-") ? System.in.readAllBytes() : Files.readAllBytes(Path.of(prices)));
      } catch (JsonProcessingException e) {
        throw new CommandFailure(
            StartFailure.USAGE, "--prices " + prices + " is not JSON: " + e.getOriginalMessage());
      } catch (IOException e) {
        throw new CommandFailure(StartFailure.USAGE, "--prices " + prices + " cannot be read");
      }
    }
  }

  @Command(
      name = "what-if",
      description = {
        "Runs the recorded arrivals through the fair queue, as they were and with changes.",
        "It shows waits, shares and refusals of both beside the waits that were recorded."
      },
      footer = {
        "",
        "Examples",
        "  rowhouse replay what-if --weight acme=2",
        "  rowhouse replay what-if --slots small=16 --from 2026-01-31T08:00:00Z --to"
            + " 2026-01-31T12:00:00Z",
        "  rowhouse replay what-if --add newcomer=acme*2 --reserve acme=0.3 --estimator exact"
      })
  static final class WhatIf extends Base {
    @Option(names = "--weight", paramLabel = "TENANT=N", description = "Another weight.")
    private Map<String, Double> weights = new LinkedHashMap<>();

    @Option(names = "--slots", paramLabel = "MODEL=N", description = "Other slots, in all.")
    private Map<String, Integer> slots = new LinkedHashMap<>();

    @Option(
        names = "--reserve",
        paramLabel = "TENANT=N",
        description = "Another reservation: below 1 a share, else slots.")
    private Map<String, Double> reservations = new LinkedHashMap<>();

    @Option(
        names = "--estimator",
        paramLabel = "NAME",
        description = "What an answer is taken to cost: zero, moving_mean or exact.")
    private @Nullable String estimator;

    @Option(
        names = "--add",
        paramLabel = "TENANT=LIKE[*TIMES]",
        description = "A tenant more, with the requests of another, so many times.")
    private List<String> added = new ArrayList<>();

    @Option(names = "--seed", paramLabel = "N", description = "Of the copies' times. Default: 1.")
    private @Nullable Long seed;

    WhatIf(PrintStream out, PrintStream err) {
      super(out, err);
    }

    @Override
    public Integer call() {
      ObjectNode body = body("what_if");
      if (!weights.isEmpty()) {
        ObjectNode all = body.putObject("weights");
        weights.forEach(all::put);
      }
      if (!slots.isEmpty()) {
        ObjectNode all = body.putObject("slots");
        slots.forEach(all::put);
      }
      if (!reservations.isEmpty()) {
        ObjectNode all = body.putObject("reservations");
        reservations.forEach((tenant, size) -> reserve(all.putObject(tenant), size));
      }
      if (estimator != null) {
        body.put("estimator", estimator);
      }
      if (seed != null) {
        body.put("seed", seed);
      }
      if (!added.isEmpty()) {
        ArrayNode all = body.putArray("add");
        added.forEach(one -> add(all.addObject(), one));
      }
      return print(body);
    }

    private static void reserve(ObjectNode node, double size) {
      if (size < 1) {
        node.put("share", size);
      } else {
        node.put("slots", Math.round(size));
      }
    }

    private static void add(ObjectNode node, String text) {
      String[] sides = text.split("=", 2);
      String[] like = sides.length == 2 ? sides[1].split("\\*", 2) : new String[0];
      try {
        if (like.length == 2) {
          node.put("times", Double.parseDouble(like[1]));
        }
      } catch (NumberFormatException e) {
        like = new String[0];
      }
      if (like.length == 0) {
        throw new CommandFailure(
            StartFailure.USAGE,
            "--add " + text + " is not TENANT=LIKE or TENANT=LIKE*TIMES, such as copy=acme*2");
      }
      node.put("tenant", sides[0]).put("like", like[0]);
    }
  }

  @Command(
      name = "export",
      description = "Writes the records for other systems, as CloudEvents or CSV.",
      footer = {
        "",
        "Examples",
        "  rowhouse replay export > usage.ndjson",
        "  rowhouse replay export --format csv --tenant acme --output acme.csv"
      })
  static final class Export extends Base {
    private static final int BUFFER = 64 * 1024;
    private static final long PROGRESS_NANOS = 1_000_000_000L;

    @Option(
        names = "--format",
        paramLabel = "NAME",
        defaultValue = "cloudevents",
        description = "cloudevents (one JSON event a line) or csv. Default: cloudevents.")
    private String format = "cloudevents";

    @Option(
        names = "--output",
        paramLabel = "FILE",
        description = "Where to; default: the standard output.")
    private @Nullable Path output;

    Export(PrintStream out, PrintStream err) {
      super(out, err);
    }

    @Override
    public Integer call() {
      Path file = output;
      return run(
          body("export").put("format", format),
          answer -> {
            if (file == null) {
              return copy(answer, out());
            }
            try (PrintStream to = new PrintStream(Files.newOutputStream(file), false)) {
              return copy(answer, to);
            }
          });
    }

    private int copy(InputStream answer, PrintStream to) {
      byte[] buffer = new byte[BUFFER];
      long begin = System.nanoTime();
      long told = begin;
      long lines = 0;
      String cut = null;
      try {
        for (int count = answer.read(buffer); count >= 0; count = answer.read(buffer)) {
          to.write(buffer, 0, count);
          for (int i = 0; i < count; i++) {
            lines += buffer[i] == '\n' ? 1 : 0;
          }
          if (System.nanoTime() - told > PROGRESS_NANOS) {
            told = System.nanoTime();
            tell(lines, told - begin);
          }
        }
      } catch (IOException e) {
        cut = e.getMessage();
      }
      to.flush();
      tell(lines, System.nanoTime() - begin);
      if (cut != null) {
        err()
            .println(
                "rowhouse: the export is not whole: rows of the journal cannot be read, or the node"
                    + " broke off ("
                    + cut
                    + "). 'rowhouse replay totals' names the rows.");
      }
      if (to.checkError()) {
        throw new CommandFailure(1, "the export cannot be written");
      }
      return cut == null ? 0 : 1;
    }

    private void tell(long lines, long nanos) {
      err().println("lines " + lines + ", per second " + Math.round(lines / (nanos / 1e9)));
    }
  }
}
