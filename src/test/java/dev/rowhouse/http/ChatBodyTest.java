package dev.rowhouse.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.serving.Ask;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.FieldError;
import java.util.List;
import java.util.Map;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatBodyTest {
  private static final Patience PATIENCE = new Patience(300_000, null);
  private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]";

  @ParameterizedTest(name = "{0} -> {1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | messages",
        "{\"messages\":null} | messages",
        "{\"messages\":{}} | messages",
        "{\"messages\":[]} | messages",
        "{\"messages\":[1]} | messages[0]",
        "{\"messages\":[{}]} | messages[0].role",
        "{\"messages\":[{\"role\":\"boss\",\"content\":\"x\"}]} | messages[0].role",
        "{\"messages\":[{\"role\":\"user\"}]} | messages[0].content",
        "{\"messages\":[{\"role\":\"assistant\"}]} | messages[0].content",
        "{\"messages\":[{\"role\":\"user\",\"content\":5}]} | messages[0].content",
        "{\"messages\":[{\"role\":\"user\",\"content\":[]}]} | messages[0].content",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{}]}]} | messages[0].content[0]",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}"
            + " | messages[0].content[0].text",
        "{M,\"model\":5} | model",
        "{M,\"stream\":\"yes\"} | stream",
        "{M,\"stream_options\":{}} | stream_options",
        "{M,\"stream\":true,\"stream_options\":5} | stream_options",
        "{M,\"stream\":true,\"stream_options\":{\"include_usage\":1}}"
            + " | stream_options.include_usage",
        "{M,\"max_tokens\":0} | max_tokens",
        "{M,\"max_tokens\":1.5} | max_tokens",
        "{M,\"max_tokens\":99999999999999999999} | max_tokens",
        "{M,\"max_completion_tokens\":-1} | max_completion_tokens",
        "{M,\"temperature\":2.1} | temperature",
        "{M,\"temperature\":1e999} | temperature",
        "{M,\"top_p\":-0.1} | top_p",
        "{M,\"presence_penalty\":3} | presence_penalty",
        "{M,\"frequency_penalty\":\"1\"} | frequency_penalty",
        "{M,\"n\":0} | n",
        "{M,\"n\":17} | n",
        "{M,\"seed\":1.5} | seed",
        "{M,\"rowhouse\":{\"deadline_ms\":0}} | rowhouse.deadline_ms",
        "{M,\"rowhouse\":{\"deadline_ms\":300001}} | rowhouse.deadline_ms",
        "{M,\"rowhouse\":{\"deadline_ms\":1.5}} | rowhouse.deadline_ms",
        "{M,\"rowhouse\":{\"deadline_ms\":\"5s\"}} | rowhouse.deadline_ms",
        "{M,\"stop\":5} | stop",
        "{M,\"stop\":[1]} | stop",
        "{M,\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]} | stop",
        "{M,\"response_format\":\"json\"} | response_format",
        "{M,\"response_format\":{}} | response_format",
        "{M,\"metadata\":[]} | metadata",
        "{M,\"tools\":{}} | tools",
        "{M,\"tools\":[{}]} | tools[0]",
        "{M,\"rowhouse\":5} | rowhouse",
        "{M,\"rowhouse\":{\"typo\":1}} | rowhouse.typo",
        "{M,\"rowhouse\":{\"priority\":101}} | rowhouse.priority",
        "{M,\"rowhouse\":{\"prompt\":\"a@0\"}} | rowhouse.prompt",
        "{M,\"rowhouse\":{\"prompt\":\"a@latest\"}} | rowhouse.prompt",
        "{M,\"rowhouse\":{\"prompt\":\"a@1234567890\"}} | rowhouse.prompt",
        "{M,\"rowhouse\":{\"variables\":{\"x\":[]}}} | rowhouse.variables.x",
        "{M,\"rowhouse\":{\"retrieval\":5}} | rowhouse.retrieval",
        "{M,\"rowhouse\":{\"retrieval\":{\"top_k\":0}}} | rowhouse.retrieval.top_k",
        "{M,\"rowhouse\":{\"retrieval\":{\"stores\":\"default\"}}} | rowhouse.retrieval.stores",
        "{M,\"rowhouse\":{\"retrieval\":{\"typo\":1}}} | rowhouse.retrieval.typo",
      })
  void namesTheFieldThatIsAtFault(String body, String field) {
    List<FieldError> errors = bad(body.replace("M,", MESSAGES + ","));
    assertEquals(field, errors.getFirst().field());
  }

  @Test
  void takesTheLeastThereIs() {
    ChatBody body = good("{" + MESSAGES + "}");
    assertNull(body.model());
    assertNull(body.outputTokensMax());
    assertEquals(0, body.priority());
    assertEquals(Ask.RetrievalChoice.OF_THE_TENANT, body.retrieval());
    assertEquals(1 + TokenEstimate.PER_MESSAGE, body.inputTokens());
  }

  @Test
  void takesAnAssistantThatOnlyCalledTools() {
    good("{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]}]}");
  }

  @Test
  void takesFieldsThatItDoesNotKnow() {
    good("{" + MESSAGES + ",\"logit_bias\":{},\"store\":false,\"from_the_future\":1}");
  }

  @Test
  void readsTheNewerNameOfTheOutputLimitFirst() {
    assertEquals(
        5L,
        good("{" + MESSAGES + ",\"max_tokens\":9,\"max_completion_tokens\":5}").outputTokensMax());
    assertEquals(9L, good("{" + MESSAGES + ",\"max_tokens\":9}").outputTokensMax());
  }

  @Test
  void readsAPromptWithItsVersionAndVariables() {
    ChatBody body =
        good(
            "{"
                + MESSAGES
                + ",\"rowhouse\":{\"prompt\":\"greet@12\",\"priority\":-3,"
                + "\"variables\":{\"name\":\"Ada\",\"age\":36}}}");
    assertEquals("greet", body.promptName());
    assertEquals(12, body.promptVersion());
    assertEquals(-3, body.priority());
    assertEquals(Map.of("name", "Ada", "age", "36"), body.variables());
  }

  @Test
  void readsWhereToRetrieve() {
    assertTrue(good("{" + MESSAGES + ",\"rowhouse\":{\"retrieval\":false}}").retrieval().off());
    assertEquals(
        new Ask.RetrievalChoice(false, List.of("default"), 3),
        good("{"
                + MESSAGES
                + ",\"rowhouse\":{\"retrieval\":{\"stores\":[\"default\"],\"top_k\":3}}}")
            .retrieval());
  }

  @Test
  void readsHowLongTheClientWaits() {
    assertNull(good("{" + MESSAGES + "}").deadlineMillis());
    assertEquals(
        1_500, good("{" + MESSAGES + ",\"rowhouse\":{\"deadline_ms\":1500}}").deadlineMillis());
  }

  @Test
  void countsImagesAndTextParts() {
    ChatBody body =
        good(
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hello\"},"
                + "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:\"}}]}]}");
    assertTrue(body.inputTokens() > 700);
  }

  private static ChatBody good(String text) {
    return switch (ChatBody.read(json(text), PATIENCE)) {
      case Checked.Good<ChatBody>(ChatBody value) -> value;
      case Checked.Bad<ChatBody>(List<FieldError> errors) ->
          throw new AssertionError(errors.toString());
    };
  }

  private static List<FieldError> bad(String text) {
    return switch (ChatBody.read(json(text), PATIENCE)) {
      case Checked.Good<ChatBody> _ -> throw new AssertionError("was taken");
      case Checked.Bad<ChatBody>(List<FieldError> errors) -> errors;
    };
  }

  private static JsonNode json(String text) {
    return assertInstanceOf(
            Json.Parsed.Document.class, Json.parseObject(ByteString.fromString(text)))
        .root();
  }
}
