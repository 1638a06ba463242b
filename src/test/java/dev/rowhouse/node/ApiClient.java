package dev.rowhouse.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Speaks JSON over HTTP with a bearer credential; every request has a deadline. */
public class ApiClient {
  /** An answer that takes longer never comes, however slow the machine is. */
  static final Duration DEADLINE = Duration.ofMinutes(2);

  static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(30))
          .build();

  private final URI base;
  private final @Nullable String credential;

  ApiClient(URI base, @Nullable String credential) {
    this.base = base;
    this.credential = credential;
  }

  URI base() {
    return base;
  }

  String credential() {
    return credential == null ? "" : credential;
  }

  public Reply get(String path) {
    return send("GET", path, BodyPublishers.noBody(), Map.of());
  }

  public Reply delete(String path) {
    return send("DELETE", path, BodyPublishers.noBody(), Map.of());
  }

  public Reply post(String path, String json) {
    return json("POST", path, json);
  }

  public Reply put(String path, String json) {
    return json("PUT", path, json);
  }

  public Reply patch(String path, String json) {
    return json("PATCH", path, json);
  }

  Reply json(String method, String path, String json) {
    return send(
        method, path, BodyPublishers.ofString(json), Map.of("content-type", "application/json"));
  }

  Reply send(String method, String path, BodyPublisher body, Map<String, String> headers) {
    return send(request(method, path, body, headers, DEADLINE));
  }

  HttpRequest request(
      String method,
      String path,
      BodyPublisher body,
      Map<String, String> headers,
      Duration deadline) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(base.resolve(path)).method(method, body).timeout(deadline);
    if (credential != null) {
      request.header("authorization", "Bearer " + credential);
    }
    headers.forEach(request::header);
    return request.build();
  }

  static Reply send(HttpRequest request) {
    try {
      return sendOrThrow(request);
    } catch (IOException e) {
      throw new UncheckedIOException(request.method() + " " + request.uri() + ": " + e, e);
    }
  }

  /** For tests in which a lost connection is part of the story. */
  public static Reply sendOrThrow(HttpRequest request) throws IOException {
    try {
      var response = HTTP.send(request, BodyHandlers.ofString());
      return new Reply(response.statusCode(), response.headers(), response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
