package dev.rowhouse;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.replay.ReplayProblem;
import dev.rowhouse.replay.ReplayReader;
import dev.rowhouse.replay.ReplayRequest;
import dev.rowhouse.replay.Replays;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.FieldError;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.apache.pekko.stream.javadsl.StreamConverters;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Of whom and when a replay is, and whether a node is asked or its journal opened. */
final class ReplayOptions {
  private static final JsonMapper MAPPER = new JsonMapper();

  /** How long the journal may be read without a line: an export says nothing of a large ledger. */
  private static final Duration SILENCE_MAX = Duration.ofHours(1);

  private static final String WHEN_AWAY =
      "Start one with 'rowhouse serve', name another with --url or ROWHOUSE_OPERATOR_URL, or read"
          + " the journal of a stopped node with --offline --data-dir DIR.";

  @Option(
      names = "--tenant",
      paramLabel = "ID",
      split = ",",
      description = "Only these tenants; may be repeated. Default: all.")
  private List<String> tenants = new ArrayList<>();

  @Option(
      names = "--from",
      paramLabel = "TIME",
      description = "Only requests from this time on, in UTC: 2026-01-31T00:00:00Z.")
  private @Nullable String from;

  @Option(names = "--to", paramLabel = "TIME", description = "Only requests before this time.")
  private @Nullable String to;

  @Option(
      names = "--offline",
      description =
          "Open the embedded journal of --data-dir itself, while no node runs on it, with the plans"
              + " and models of conf/.")
  private boolean offline;

  /** The body of the request, so far. */
  ObjectNode body(String what) {
    ObjectNode body = MAPPER.createObjectNode().put("what", what);
    if (!tenants.isEmpty()) {
      ArrayNode all = body.putArray("tenants");
      tenants.forEach(all::add);
    }
    if (from != null) {
      body.put("from", from);
    }
    if (to != null) {
      body.put("to", to);
    }
    return body;
  }

  /** Takes the bytes of an answer as they come. */
  interface Taking {
    int take(InputStream answer) throws IOException;
  }

  /** Asks the node, or reads the journal itself; that it begins is said, for it takes a while. */
  int run(OperatorOptions operator, ObjectNode body, PrintStream err, Taking taking) {
    try {
      if (!offline) {
        try (InputStream answer = operator.client(WHEN_AWAY).post("/admin/replay", body)) {
          return taking.take(answer);
        }
      }
      err.println("opening the journal in " + operator.dataDirectory());
      try (StoppedHouse house = StoppedHouse.open(operator.dataDirectory(), operator.url());
          InputStream answer = offline(house, body)) {
        return taking.take(answer);
      }
    } catch (IOException e) {
      throw new CommandFailure(1, "the answer broke off before its end: " + e.getMessage());
    }
  }

  private static InputStream offline(StoppedHouse house, ObjectNode body) {
    Replays replays = house.replays();
    ReplayRequest request =
        switch (ReplayReader.read(body, replays.settings())) {
          case Checked.Good<ReplayRequest>(ReplayRequest read) -> read;
          case Checked.Bad<ReplayRequest>(List<FieldError> errors) ->
              throw new CommandFailure(
                  StartFailure.USAGE,
                  errors.getFirst().field() + " " + errors.getFirst().message());
        };
    try {
      return replays
          .begin(request, house, true)
          .toCompletableFuture()
          .join()
          .lines()
          .runWith(StreamConverters.asInputStream(SILENCE_MAX), house.system());
    } catch (CompletionException e) {
      ReplayProblem problem = Replays.problem(e);
      throw new CommandFailure(problem.status() < 500 ? StartFailure.USAGE : 1, problem.text());
    }
  }
}
