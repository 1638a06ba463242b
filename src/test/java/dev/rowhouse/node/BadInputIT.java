package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong is refused with its name: never with a 5xx, never with silence. */
class BadInputIT {
  private static final Duration DEADLINE = ApiClient.DEADLINE;
  private static final String MODEL = "rowhouse-extractive";
  private static final String MESSAGES =
      "\"messages\":[{\"role\":\"user\",\"content\":\"Hello?\"}]";
  private static final int RANDOM_BODIES = 60;

  private static NodeProcess node;
  private static String key;

  @BeforeAll
  static void start(@TempDir Path directory) {
    node = NodeProcess.started(directory);
    key = node.operator().onboard("acme");
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  static Stream<Arguments> chatBodies() {
    return Stream.of(
        arguments("", ""),
        arguments("{\"model\": ", ""),
        arguments("[]", ""),
        arguments("\"text\"", ""),
        arguments("42", ""),
        arguments("null", ""),
        arguments("{\"model\":\"%s\"}", "messages"),
        arguments("{\"model\":\"%s\",\"messages\":[]}", "messages"),
        arguments("{\"model\":\"%s\",\"messages\":null}", "messages"),
        arguments("{\"model\":\"%s\",\"messages\":\"Hello?\"}", "messages"),
        arguments("{\"model\":\"%s\",\"messages\":[1]}", "messages"),
        arguments("{\"model\":\"%s\",\"messages\":[{\"content\":\"Hello?\"}]}", "messages"),
        arguments(
            "{\"model\":\"%s\",\"messages\":[{\"role\":\"king\",\"content\":\"Hello?\"}]}",
            "messages"),
        arguments(
            "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":1}]}", "messages"),
        arguments("{\"model\":7," + MESSAGES + "}", "model"),
        arguments(chatWith("\"temperature\":-1"), "temperature"),
        arguments(chatWith("\"temperature\":1e300"), "temperature"),
        arguments(chatWith("\"temperature\":\"hot\""), "temperature"),
        arguments(chatWith("\"top_p\":2"), "top_p"),
        arguments(chatWith("\"max_tokens\":-1"), "max_tokens"),
        arguments(chatWith("\"max_tokens\":1.5"), "max_tokens"),
        arguments(chatWith("\"max_tokens\":99999999999999999999"), "max_tokens"),
        arguments(chatWith("\"max_completion_tokens\":-5"), "max_completion_tokens"),
        arguments(chatWith("\"n\":-1"), "n"),
        arguments(chatWith("\"n\":1000000"), "n"),
        arguments(chatWith("\"stream\":\"yes\""), "stream"),
        arguments(chatWith("\"stop\":7"), "stop"),
        arguments(chatWith("\"seed\":\"x\""), "seed"),
        arguments(chatWith("\"response_format\":{\"type\":\"nonsense\"}"), "response_format"),
        arguments(chatWith("\"rowhouse\":\"x\""), "rowhouse"),
        arguments(chatWith("\"rowhouse\":{\"retrieval\":{\"top_k\":-1}}"), "rowhouse"),
        arguments(chatWith("\"rowhouse\":{\"retrieval\":{\"top_k\":1000000}}"), "rowhouse"),
        arguments(chatWith("\"rowhouse\":{\"retrieval\":{\"stores\":\"x\"}}"), "rowhouse"),
        arguments(chatWith("\"rowhouse\":{\"deadline_ms\":0}"), "rowhouse.deadline_ms"),
        arguments(chatWith("\"rowhouse\":{\"deadline_ms\":-5}"), "rowhouse.deadline_ms"),
        arguments(chatWith("\"rowhouse\":{\"deadline_ms\":\"1s\"}"), "rowhouse.deadline_ms"),
        arguments(chatWith("\"rowhouse\":{\"deadline_ms\":86400000}"), "rowhouse.deadline_ms"),
        arguments(chatWith("\"rowhouse\":{\"priority\":\"x\"}"), "rowhouse"));
  }

  private static String chatWith(String field) {
    return "{\"model\":\"%s\"," + MESSAGES + "," + field + "}";
  }

  @ParameterizedTest(name = "{0} names \"{1}\"")
  @MethodSource("chatBodies")
  void aWrongChatBodyIs400AndNamesTheField(String body, String field) {
    Reply reply = post("/v1/chat/completions", body.replace("%s", MODEL), "application/json");
    assertEquals(400, reply.status(), reply.body());
    assertEquals("invalid_request_error", reply.json().at("/error/type").asText(), reply.body());
    assertFalse(reply.json().at("/error/message").asText().isBlank(), reply.body());
    assertTrue(
        field.isEmpty() || reply.errorParam().startsWith(field),
        "param names " + field + ": " + reply.body());
  }

  @ParameterizedTest(name = "\"{0}\"")
  @ValueSource(strings = {"soon", "-1", "1e3"})
  void aTimeOutOfAnSdkThatIsNoNumberIs400AndNamesTheHeader(String seconds) {
    Reply reply =
        send(
            node.tenant(key),
            "POST",
            "/v1/chat/completions",
            Map.of("content-type", "application/json", "x-stainless-timeout", seconds),
            ("{\"model\":\"" + MODEL + "\"," + MESSAGES + "}").getBytes(StandardCharsets.UTF_8));
    assertEquals(400, reply.status(), reply.body());
    assertEquals("x-stainless-timeout", reply.errorParam(), reply.body());
  }

  @ParameterizedTest(name = "{0} levels")
  @ValueSource(ints = {70, 10_000, 200_000})
  void nestingBeyond64LevelsIs400(int levels) {
    String nested = "[".repeat(levels) + "]".repeat(levels);
    Reply reply =
        post(
            "/v1/chat/completions",
            "{\"model\":\"" + MODEL + "\"," + MESSAGES + ",\"metadata\":" + nested + "}",
            "application/json");
    assertEquals(400, reply.status(), reply.body());
  }

  @Test
  void aBodyOverTheLimitIs413BeforeItIsSent() throws IOException {
    try (Socket socket = new Socket(node.httpUri().getHost(), node.httpUri().getPort())) {
      socket.setSoTimeout((int) DEADLINE.toMillis());
      socket
          .getOutputStream()
          .write(
              """
              POST /v1/chat/completions HTTP/1.1\r
              Host: localhost\r
              Authorization: Bearer %s\r
              Content-Type: application/json\r
              Content-Length: 1073741824\r
              \r
              {\
              """
                  .formatted(key)
                  .getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().flush();
      BufferedReader answer =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      String statusLine = answer.readLine();
      assertTrue(statusLine != null && statusLine.startsWith("HTTP/1.1 413"), "got " + statusLine);
    }
  }

  static Stream<Arguments> credentials() {
    return Stream.of(
        arguments("none", ""),
        arguments("another scheme", "Basic YWNtZTphY21l"),
        arguments("nothing after Bearer", "Bearer "),
        arguments("a foreign format", "Bearer sk-proj-0123456789"),
        arguments("only the prefix", "Bearer rh_"),
        arguments("a made-up key", "Bearer rh_acme_0123456789_" + "A".repeat(48)),
        arguments("a tenant that never was", "Bearer rh_nobody_0123456789_" + "A".repeat(48)),
        arguments("8 KB of it", "Bearer rh_" + "a".repeat(8_000)),
        arguments("the last character changed", "LAST"),
        arguments("the tenant changed", "TENANT"),
        arguments("something after it", "AFTER"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("credentials")
  void aWrongKeyIs401AndSaysNothingMore(String what, String authorization) {
    String value =
        switch (authorization) {
          case "LAST" -> "Bearer " + withAnotherLastCharacter(key);
          case "TENANT" -> "Bearer " + key.replace("rh_acme_", "rh_globex_");
          case "AFTER" -> "Bearer " + key + "x";
          default -> authorization;
        };
    Map<String, String> headers = value.isEmpty() ? Map.of() : Map.of("authorization", value);
    for (String path : List.of("/v1/models", "/v1/files", "/v1/usage/records")) {
      Reply reply = send(node.tenant(null), "GET", path, headers, new byte[0]);
      assertEquals(401, reply.status(), what + ": " + reply.body());
      assertEquals("invalid_api_key", reply.errorCode(), reply.body());
    }
  }

  private static String withAnotherLastCharacter(String text) {
    char last = text.charAt(text.length() - 1);
    return text.substring(0, text.length() - 1) + (last == 'a' ? 'b' : 'a');
  }

  static Stream<Arguments> routes() {
    return Stream.of(
        arguments("GET", "/v1/nothing", Set.of(404)),
        arguments("POST", "/v1/nothing", Set.of(404)),
        arguments("GET", "/v1/models/nothing", Set.of(404)),
        arguments("GET", "/v1/files/file-nothing", Set.of(404)),
        arguments("GET", "/v1/files/..%2f..%2fsecret", Set.of(400, 404)),
        arguments("GET", "/v1/vector_stores/nothing", Set.of(404)),
        arguments("GET", "/v1/requests/nothing", Set.of(400, 404)),
        arguments("GET", "/v1/chat/completions", Set.of(405)),
        arguments("DELETE", "/v1/chat/completions", Set.of(405)),
        arguments("PUT", "/v1/models", Set.of(405)),
        arguments("PATCH", "/v1/files", Set.of(405)),
        arguments("GET", "/v1/usage?from=yesterday", Set.of(400)),
        arguments("GET", "/v1/usage?bucket=century", Set.of(400)),
        arguments("GET", "/v1/usage?group_by=star", Set.of(400)),
        arguments("GET", "/v1/usage/records?limit=-1", Set.of(400)),
        arguments("GET", "/v1/usage/records?limit=many", Set.of(400)),
        arguments("GET", "/v1/usage/records?after=%00%ff", Set.of(400)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("routes")
  void aRouteOrParameterThatIsNoneIsRefused(String method, String path, Set<Integer> allowed) {
    Reply reply = send(node.tenant(key), method, path, Map.of(), new byte[0]);
    assertTrue(allowed.contains(reply.status()), reply.status() + " " + reply.body());
    assertTrue(reply.json().has("error"), "an error of OpenAI's shape: " + reply.body());
  }

  @Test
  void anUnknownModelIs404() {
    Reply reply = node.tenant(key).chat("no-such-model", "Hello?").expect(404);
    assertEquals("model_not_found", reply.errorCode());
    assertEquals("model", reply.errorParam());
  }

  @Test
  void aModelThatIsNotAllowedIs403() {
    String narrow =
        node.operator().onboard("narrow", "{\"models\": {\"allow\": [\"bge-small-en-v1.5\"]}}");
    Reply reply = node.tenant(narrow).chat(MODEL, "Hello?").expect(403);
    assertEquals("model_not_allowed", reply.errorCode());
  }

  @Test
  void aContentTypeThatIsNotJsonIsRefused() {
    Reply reply = post("/v1/chat/completions", "model=x", "application/x-www-form-urlencoded");
    assertTrue(Set.of(400, 415).contains(reply.status()), reply.status() + " " + reply.body());
  }

  @Test
  void anUploadWithoutAFileOrAPurposeNamesIt() {
    Reply reply =
        post(
            "/v1/files",
            """
            --b\r
            Content-Disposition: form-data; name="purpose"\r
            \r
            assistants\r
            --b--\r
            """,
            "multipart/form-data; boundary=b");
    assertEquals(400, reply.status(), reply.body());
    assertEquals("file", reply.errorParam(), reply.body());
    assertEquals(400, post("/v1/files", "{}", "application/json").status());
    assertEquals(400, post("/v1/files", "no parts", "multipart/form-data; boundary=b").status());
  }

  static Stream<Arguments> operatorCalls() {
    return Stream.of(
        arguments("PUT", "/admin/tenants/fine", "{\"wieght\": 1}", "wieght"),
        arguments("PUT", "/admin/tenants/fine", "{\"limits\": {\"rpm\": 1}}", "rpm"),
        arguments("PUT", "/admin/tenants/fine", "{\"weight\": 0}", "weight"),
        arguments("PUT", "/admin/tenants/fine", "{\"weight\": -1}", "weight"),
        arguments("PUT", "/admin/tenants/fine", "{\"weight\": \"big\"}", "weight"),
        arguments("PUT", "/admin/tenants/fine", reserved("\"slots\": 0"), "reservation.slots"),
        arguments("PUT", "/admin/tenants/fine", reserved("\"slots\": -1"), "reservation.slots"),
        arguments("PUT", "/admin/tenants/fine", reserved("\"share\": 0"), "reservation.share"),
        arguments("PUT", "/admin/tenants/fine", reserved("\"share\": 0.9"), "reservation.share"),
        arguments("PUT", "/admin/tenants/fine", reserved("\"share\": 80"), "reservation.share"),
        arguments(
            "PUT",
            "/admin/tenants/fine",
            reserved("\"share\": 0.1, \"slots\": 1"),
            "reservation.share"),
        arguments("PUT", "/admin/tenants/fine", reserved("\"slots\": 1000"), "reservation"),
        arguments("PUT", "/admin/tenants/fine", "{\"plan\": \"no-such-plan\"}", "plan"),
        arguments(
            "PUT",
            "/admin/tenants/fine",
            "{\"limits\": {\"requests_per_minute\": -1}}",
            "requests_per_minute"),
        arguments(
            "PUT",
            "/admin/tenants/fine",
            "{\"limits\": {\"tokens_per_minute\": 1e30}}",
            "tokens_per_minute"),
        arguments("PUT", "/admin/tenants/fine", "{\"cache\": {\"mode\": \"maybe\"}}", "mode"),
        arguments("PUT", "/admin/tenants/fine", "{\"retrieval\": {\"top_k\": 0}}", "top_k"),
        arguments("PUT", "/admin/tenants/fine", "{\"content_log\": \"no\"}", "content_log"),
        arguments("PUT", "/admin/tenants/fine", "{", ""),
        arguments("PUT", "/admin/tenants/fine", "[]", ""),
        arguments("PUT", "/admin/tenants/UPPER", "{}", ""),
        arguments("PUT", "/admin/tenants/-dash", "{}", ""),
        arguments("PUT", "/admin/tenants/" + "a".repeat(64), "{}", ""),
        arguments("PATCH", "/admin/tenants/acme", "{\"wieght\": 1}", "wieght"),
        arguments(
            "POST",
            "/admin/tenants/acme/keys",
            "{\"name\": \"x\", \"scopes\": [\"all\"]}",
            "scopes"),
        arguments("POST", "/admin/tenants/acme/keys", "{\"name\": \"x\", \"colour\": 1}", "colour"),
        arguments("PUT", "/admin/models/m", "{\"engine\": \"steam\"}", "engine"),
        arguments(
            "PUT",
            "/admin/models/m",
            "{\"engine\": \"embedded\", \"estimator\": \"oracle\"}",
            "estimator"),
        arguments(
            "PUT",
            "/admin/models/m",
            "{\"engine\": \"embedded\", \"weights\": {\"output\": 0}}",
            "weights.output"),
        arguments("PUT", "/admin/models/m", "{\"engine\": \"openai\"}", "base_url"),
        arguments(
            "PUT",
            "/admin/models/m",
            "{\"engine\": \"openai\", \"base_url\": \"ftp://127.0.0.1/\"}",
            "base_url"),
        arguments(
            "PUT",
            "/admin/models/m",
            "{\"engine\": \"openai\", \"base_url\": \"http://127.0.0.1:1/v1\", \"slots\": -1}",
            "slots"),
        arguments("PUT", "/admin/plans/p", "{\"weight\": -1}", "weight"));
  }

  private static String reserved(String what) {
    return "{\"reservation\": {" + what + "}}";
  }

  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("operatorCalls")
  void aWrongOperatorCallIs400AndNamesTheField(
      String method, String path, String body, String field) {
    Reply reply = node.operator().json(method, path, body);
    assertEquals(400, reply.status(), reply.body());
    assertTrue(
        reply.header("content-type").startsWith("application/problem+json"),
        reply.header("content-type"));
    assertEquals(400, reply.json().path("status").asInt(), reply.body());
    assertTrue(reply.body().contains(field), field + " in " + reply.body());
    node.operator().get("/admin/tenants/fine").expect(404);
  }

  @Test
  void whatNeverWasIs404OnTheOperatorPlane() {
    Operator operator = node.operator();
    operator.get("/admin/tenants/nobody").expect(404);
    operator.patch("/admin/tenants/nobody", "{}").expect(404);
    operator.post("/admin/tenants/nobody/suspend", "{}").expect(404);
    operator.post("/admin/tenants/nobody/keys", "{\"name\": \"x\"}").expect(404);
    operator.delete("/admin/tenants/acme/keys/nothing").expect(404);
    operator.get("/admin/models/nothing").expect(404);
    operator.get("/admin/nothing").expect(404);
    operator.delete("/admin/cluster").expect(405);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void randomBytesAreRefusedAndNothingBreaks(long seed) {
    Random random = new Random(seed);
    List<String> paths =
        List.of("/v1/chat/completions", "/v1/embeddings", "/v1/files", "/v1/vector_stores");
    byte[] valid =
        chatWith("\"stream\":false").replace("%s", MODEL).getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < RANDOM_BODIES; i++) {
      byte[] body;
      if (i % 2 == 0) {
        body = new byte[random.nextInt(2_000)];
        random.nextBytes(body);
      } else {
        body = valid.clone();
        body[random.nextInt(body.length)] = (byte) random.nextInt(256);
      }
      String path = paths.get(random.nextInt(paths.size()));
      Reply reply =
          send(node.tenant(key), "POST", path, Map.of("content-type", "application/json"), body);
      assertTrue(
          reply.status() < 500, "seed " + seed + ", body " + i + " to " + path + ": " + reply);
    }
    node.tenant(key).get("/v1/models").expect(200);
  }

  private static Reply post(String path, String body, String contentType) {
    return send(
        node.tenant(key),
        "POST",
        path,
        Map.of("content-type", contentType),
        body.getBytes(StandardCharsets.UTF_8));
  }

  private static Reply send(
      TenantClient client, String method, String path, Map<String, String> headers, byte[] body) {
    HttpRequest request =
        client.request(method, path, BodyPublishers.ofByteArray(body), headers, DEADLINE);
    return ApiClient.send(request);
  }
}
