package dev.rowhouse.node;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A tenant's client: the OpenAI surface with a tenant key. */
public final class TenantClient extends ApiClient {
  private static final String BOUNDARY = "rowhouse-test-boundary";

  public TenantClient(URI base, @Nullable String key) {
    super(base, key);
  }

  /** One question to a model, no stream. */
  public Reply chat(String model, String question) {
    return post("/v1/chat/completions", chatBody(model, question, false));
  }

  public static String chatBody(String model, String question, boolean stream) {
    return """
    {"model": "%s", "stream": %s, "messages": [{"role": "user", "content": "%s"}]}\
    """
        .formatted(model, stream, question);
  }

  HttpRequest chatRequest(String body, Duration deadline) {
    return request(
        "POST",
        "/v1/chat/completions",
        BodyPublishers.ofString(body),
        Map.of("content-type", "application/json"),
        deadline);
  }

  /** Reads a stream to its end, whatever that is. */
  public Stream stream(String body) {
    try {
      return streamOrThrow(body, DEADLINE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Stream streamOrThrow(String body, Duration deadline) throws IOException {
    HttpResponse<InputStream> response = open(chatRequest(body, deadline));
    List<String> events = new ArrayList<>();
    boolean done = false;
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.equals("data: [DONE]")) {
          done = true;
        } else if (line.startsWith("data: ")) {
          events.add(line.substring("data: ".length()));
        } else if (response.statusCode() != 200) {
          events.add(line);
        }
      }
    }
    return new Stream(
        response.statusCode(),
        response.headers().firstValue("x-request-id").orElse(""),
        events,
        done);
  }

  /** Opens a stream and leaves it to the caller, who may walk away. */
  public HttpResponse<InputStream> openStream(String body) {
    try {
      return open(chatRequest(body, DEADLINE));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static HttpResponse<InputStream> open(HttpRequest request) throws IOException {
    try {
      return HTTP.send(request, BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Uploads a file for a vector store and returns its id. */
  public String upload(String filename, String content) {
    String body =
        """
        --%1$s\r
        Content-Disposition: form-data; name="file"; filename="%2$s"\r
        Content-Type: text/markdown\r
        \r
        %3$s\r
        --%1$s\r
        Content-Disposition: form-data; name="purpose"\r
        \r
        assistants\r
        --%1$s--\r
        """
            .formatted(BOUNDARY, filename, content);
    return send(
            "POST",
            "/v1/files",
            BodyPublishers.ofString(body),
            Map.of("content-type", "multipart/form-data; boundary=" + BOUNDARY))
        .expect(200)
        .json()
        .path("id")
        .asText();
  }

  /** Attaches a file to a store and waits until it is searchable. */
  public void attach(String store, String file) {
    post("/v1/vector_stores/" + store + "/files", "{\"file_id\": \"" + file + "\"}").expect(200);
    String path = "/v1/vector_stores/" + store + "/files/" + file;
    JsonNode last = await(path, Duration.ofMinutes(2), () -> get(path).expect(200).json());
    if (!last.path("status").asText().equals("completed")) {
      throw new AssertionError("file " + file + " is not completed: " + last);
    }
  }

  private static JsonNode await(String what, Duration atMost, Supplier<JsonNode> read) {
    Instant deadline = Instant.now().plus(atMost);
    JsonNode value = read.get();
    while (value.path("status").asText().equals("in_progress")) {
      if (Instant.now().isAfter(deadline)) {
        throw new AssertionError(what + " is still in progress after " + atMost);
      }
      Await.pause(Duration.ofMillis(50));
      value = read.get();
    }
    return value;
  }

  /** Every usage record of this tenant, page by page. */
  public List<JsonNode> usageRecords() {
    List<JsonNode> records = new ArrayList<>();
    String after = "";
    for (int page = 0; page < PAGES_MAX; page++) {
      JsonNode answer = get("/v1/usage/records?limit=50" + after).expect(200).json();
      answer.path("data").forEach(records::add);
      if (!answer.path("has_more").asBoolean()) {
        return records;
      }
      after = "&after=" + answer.path("last_id").asText();
    }
    throw new AssertionError("more than " + PAGES_MAX + " pages of records: does `after` work?");
  }

  private static final int PAGES_MAX = 1_000;

  /**
   * A stream as its client saw it.
   *
   * @param events the data of each event, {@code [DONE]} left out
   * @param done whether {@code [DONE]} came
   */
  public record Stream(int status, String requestId, List<String> events, boolean done) {
    public Stream {
      events = List.copyOf(events);
    }

    /** The events as JSON. */
    public List<JsonNode> chunks() {
      return events.stream().map(Stream::parse).toList();
    }

    /** The text of all deltas. */
    public String text() {
      StringBuilder text = new StringBuilder();
      for (JsonNode chunk : chunks()) {
        text.append(chunk.path("choices").path(0).path("delta").path("content").asText(""));
      }
      return text.toString();
    }

    /** {@code error.code} of the first error event, or the empty string. */
    public String errorCode() {
      return chunks().stream()
          .map(chunk -> chunk.path("error").path("code").asText(""))
          .filter(code -> !code.isEmpty())
          .findFirst()
          .orElse("");
    }

    private static JsonNode parse(String event) {
      try {
        return Reply.JSON.readTree(event);
      } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
        throw new AssertionError("an event that is not JSON: " + event, e);
      }
    }
  }
}
