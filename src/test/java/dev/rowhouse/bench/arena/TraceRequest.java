package dev.rowhouse.bench.arena;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * One request of a trace.
 *
 * @param id its place in the trace, from 0
 * @param arrivalSeconds since the start of the trace
 * @param outputTokens what its answer will have; policies may not look at it, an oracle may
 */
public record TraceRequest(
    int id, double arrivalSeconds, String client, int inputTokens, int outputTokens) {

  private static final String HEADER = "arrival_s,client,input_tokens,output_tokens";

  public TraceRequest {
    if (arrivalSeconds < 0 || inputTokens < 1 || outputTokens < 1) {
      throw new IllegalArgumentException("request " + id + " has no time, input or output");
    }
  }

  /** Weighted tokens as the paper counts them. */
  public double cost() {
    return Cost.of(inputTokens, outputTokens);
  }

  /**
   * Reads a file with the columns arrival_s, client, input_tokens, output_tokens, or, if its name
   * ends with {@code .jsonl}, a file of results of the artifact, which holds the trace.
   */
  public static List<TraceRequest> read(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    return file.toString().endsWith(".jsonl") ? parseResults(lines) : parse(lines);
  }

  /** Only the first result counts; the clients' adapters are named by a number at the end. */
  static List<TraceRequest> parseResults(List<String> lines) throws IOException {
    JsonNode responses =
        new ObjectMapper().readTree(lines.getFirst()).path("result").path("responses");
    List<TraceRequest> requests = new ArrayList<>(responses.size());
    for (JsonNode response : responses) {
      String adapter = response.path("adapter_dir").asText();
      requests.add(
          new TraceRequest(
              requests.size(),
              response.path("req_time").asDouble(),
              adapter.substring(adapter.lastIndexOf('-') + 1),
              response.path("prompt_len").asInt(),
              response.path("output_len").asInt()));
    }
    return sorted(requests);
  }

  static List<TraceRequest> parse(List<String> lines) {
    if (lines.isEmpty() || !lines.getFirst().strip().equals(HEADER)) {
      throw new IllegalArgumentException("the first line of a trace is " + HEADER);
    }
    List<TraceRequest> requests = new ArrayList<>(lines.size());
    for (String line : lines.subList(1, lines.size())) {
      List<String> fields = List.of(line.strip().split(",", -1));
      if (fields.size() != 4) {
        throw new IllegalArgumentException("not four fields: " + line);
      }
      requests.add(
          new TraceRequest(
              requests.size(),
              Double.parseDouble(fields.get(0)),
              fields.get(1),
              Integer.parseInt(fields.get(2)),
              Integer.parseInt(fields.get(3))));
    }
    return sorted(requests);
  }

  private static List<TraceRequest> sorted(List<TraceRequest> requests) {
    return requests.stream()
        .sorted(Comparator.comparingDouble(TraceRequest::arrivalSeconds))
        .toList();
  }
}
