package dev.rowhouse.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.FieldError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddingBodyTest {
  private static final Patience PATIENCE = new Patience(300_000, null);

  @Test
  void countsAllTextsAndTakesWhatOpenAiClientsSend() throws Exception {
    EmbeddingBody body =
        good(
            """
            {"model": "m", "input": ["Hello", "Hello", " "], "encoding_format": "base64",
             "dimensions": 384, "user": "u", "something_new": true}
            """);
    assertEquals("m", body.model());
    assertEquals(3, body.inputTokens());
    assertEquals(1, good("{\"model\": \"m\", \"input\": \"Hello\"}").inputTokens());
  }

  @ParameterizedTest(name = "{1} of {0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"input\": \"a\"} | model | is missing",
        "{\"model\": 1, \"input\": \"a\"} | model | must be a string",
        "{\"model\": \"\", \"input\": \"a\"} | model | must not be empty",
        "{\"model\": \"m\"} | input | is missing",
        "{\"model\": \"m\", \"input\": null} | input | is missing",
        "{\"model\": \"m\", \"input\": \"\"} | input | must not be empty",
        "{\"model\": \"m\", \"input\": {}} | input | must be a string",
        "{\"model\": \"m\", \"input\": 7} | input | tokens are not taken",
        "{\"model\": \"m\", \"input\": []} | input | 1 to 256",
        "{\"model\": \"m\", \"input\": [\"a\", \"\"]} | input[1] | must not be empty",
        "{\"model\": \"m\", \"input\": [\"a\", null]} | input[1] | must be a string",
        "{\"model\": \"m\", \"input\": [15339, 1917]} | input[0] | tokens are not taken",
        "{\"model\": \"m\", \"input\": [[15339], [1917]]} | input[0] | tokens are not taken",
        "{\"model\": \"m\", \"input\": \"a\", \"encoding_format\": \"int8\"} | encoding_format |"
            + " float or base64",
        "{\"model\": \"m\", \"input\": \"a\", \"encoding_format\": 1} | encoding_format | string",
        "{\"model\": \"m\", \"input\": \"a\", \"dimensions\": 0} | dimensions | between 1",
        "{\"model\": \"m\", \"input\": \"a\", \"dimensions\": \"384\"} | dimensions | whole number",
        "{\"model\": \"m\", \"input\": \"a\", \"rowhouse\": 1} | rowhouse | must be an object",
        "{\"model\": \"m\", \"input\": \"a\", \"rowhouse\": {\"deadline_ms\": 0}} |"
            + " rowhouse.deadline_ms | between 1 and 300000",
        "{\"model\": \"m\", \"input\": \"a\", \"rowhouse\": {\"deadline\": 1}} |"
            + " rowhouse.deadline | not a known field",
        "{\"model\": \"m\", \"input\": \"a\", \"user\": 1} | user | must be a string",
      })
  void refuses(String text, String field, String message) throws Exception {
    assertRefused(bad(text), field, message);
  }

  @Test
  void readsHowLongTheClientWaitsAndPassesOverWhatOnlyChatsUnderstand() throws Exception {
    assertEquals(
        700,
        good("""
        {"model": "m", "input": "a",
         "rowhouse": {"deadline_ms": 700, "retrieval": false, "priority": 3}}
        """)
            .deadlineMillis());
  }

  @Test
  void takesTheLongestTextAndTheMostTextsAndNoneBeyond() throws Exception {
    ObjectNode body = Json.object().put("model", "m");
    body.put("input", "a".repeat(EmbeddingBody.INPUT_CHARS_MAX));
    assertEquals(EmbeddingBody.INPUT_CHARS_MAX / 4 + 1, good(body.toString()).inputTokens());
    body.put("input", "a".repeat(EmbeddingBody.INPUT_CHARS_MAX + 1));
    assertRefused(bad(body.toString()), "input", "at most 32768 characters");
    ArrayNode texts = body.putArray("input");
    for (int i = 0; i < EmbeddingBody.INPUTS_MAX; i++) {
      texts.add("a");
    }
    assertEquals(256, good(body.toString()).inputTokens());
    texts.add("a");
    assertRefused(bad(body.toString()), "input", "1 to 256");
  }

  private static EmbeddingBody good(String text) throws Exception {
    Checked<?> read = EmbeddingBody.read(Json.MAPPER.readTree(text), PATIENCE);
    return (EmbeddingBody) assertInstanceOf(Checked.Good.class, read).value();
  }

  private static FieldError bad(String text) throws Exception {
    Checked<?> read = EmbeddingBody.read(Json.MAPPER.readTree(text), PATIENCE);
    return (FieldError) assertInstanceOf(Checked.Bad.class, read).errors().getFirst();
  }

  private static void assertRefused(FieldError error, String field, String message) {
    assertEquals(field, error.field());
    assertTrue(error.message().contains(message), error.message());
  }
}
