package dev.rowhouse;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The operator plane of a running node, for the commands of the program. */
final class OperatorPlaneClient {
  static final String URL_DEFAULT = "http://127.0.0.1:8081";
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** The part of an unexpected answer that is shown. */
  private static final int SHOWN_MAX = 300;

  private static final JsonMapper MAPPER = new JsonMapper();

  private final URI base;
  private final String token;
  private final String whenAway;

  /**
   * A client of the node at that address.
   *
   * @param whenAway what to do when no node answers there
   */
  OperatorPlaneClient(String url, Path dataDirectory, String whenAway) {
    this.base = base(url);
    this.token = token(dataDirectory);
    this.whenAway = whenAway;
  }

  private static URI base(String url) {
    try {
      URI uri = URI.create(url.replaceAll("/+$", ""));
      if (uri.getHost() != null
          && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // Told below, as any other address that is none.
    }
    throw new CommandFailure(
        StartFailure.USAGE,
        "'" + url + "' is no address of an operator plane, such as " + URL_DEFAULT);
  }

  /** The token of the environment, or the one that a node keeps in its data directory. */
  private static String token(Path dataDirectory) {
    String given = System.getenv("ROWHOUSE_OPERATOR_TOKEN");
    if (given != null && !given.isBlank()) {
      return given.strip();
    }
    Path file = dataDirectory.resolve("operator-token");
    try {
      return Files.readString(file, StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new CommandFailure(
          StartFailure.USAGE,
          "no operator token: set ROWHOUSE_OPERATOR_TOKEN, or name the node's data directory with"
              + " --data-dir ("
              + file.toAbsolutePath().normalize()
              + " cannot be read)");
    }
  }

  /** The body of a good answer; what else comes is a failure that says what the node said. */
  InputStream post(String path, @Nullable JsonNode body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(base + path))
            .header("authorization", "Bearer " + token)
            .header("content-type", "application/json")
            .POST(
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body.toString()))
            .build();
    // The client lives as long as the answer is read, which is as long as the process.
    HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
    try {
      HttpResponse<InputStream> answer =
          client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      if (answer.statusCode() == 200) {
        return answer.body();
      }
      throw refused(path, answer);
    } catch (ConnectException | HttpConnectTimeoutException e) {
      throw new CommandFailure(1, "no node answers at " + base + ". " + whenAway);
    } catch (IOException e) {
      throw new CommandFailure(
          1,
          "the node at "
              + base
              + " broke off: "
              + e.getClass().getSimpleName()
              + ": "
              + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailure(1, "interrupted");
    }
  }

  private CommandFailure refused(String path, HttpResponse<InputStream> answer) throws IOException {
    String text;
    try (InputStream body = answer.body()) {
      text = new String(body.readNBytes(64 * 1024), StandardCharsets.UTF_8);
    }
    int code = answer.statusCode();
    int exitCode = code == 400 || code == 401 || code == 404 ? StartFailure.USAGE : 1;
    if (code == 401) {
      return new CommandFailure(
          exitCode,
          "the node at "
              + base
              + " does not know this operator token; set ROWHOUSE_OPERATOR_TOKEN");
    }
    try {
      JsonNode problem = MAPPER.readTree(text);
      String detail = problem.path("detail").asText();
      if (!detail.isEmpty()) {
        return new CommandFailure(exitCode, detail);
      }
    } catch (JsonProcessingException e) {
      // Told below, as it came.
    }
    return new CommandFailure(
        exitCode,
        "POST "
            + base
            + path
            + " answered "
            + code
            + ": "
            + text.substring(0, Math.min(SHOWN_MAX, text.length())).strip());
  }
}
