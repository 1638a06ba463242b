package dev.rowhouse.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpHeaders;

/** An HTTP answer whose body was read to its end. */
public record Reply(int status, HttpHeaders headers, String body) {
  static final ObjectMapper JSON = new ObjectMapper();

  /** The body as JSON; an assertion error that shows the body when it is none. */
  public JsonNode json() {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw new AssertionError("not JSON, status " + status + ": " + body, e);
    }
  }

  /** A header's value, or the empty string. */
  public String header(String name) {
    return headers.firstValue(name).orElse("");
  }

  public String requestId() {
    return header("x-request-id");
  }

  /** {@code error.code} of the tenant plane's errors, or the empty string. */
  public String errorCode() {
    return json().path("error").path("code").asText("");
  }

  /** {@code error.param} of the tenant plane's errors, or the empty string. */
  public String errorParam() {
    return json().path("error").path("param").asText("");
  }

  /** This reply, after a check that fails with the whole answer. */
  public Reply expect(int expected) {
    if (status != expected) {
      throw new AssertionError("expected " + expected + ", got " + status + ": " + body);
    }
    return this;
  }

  /** The text of a chat answer's first choice. */
  public String answer() {
    return json().path("choices").path(0).path("message").path("content").asText();
  }
}
