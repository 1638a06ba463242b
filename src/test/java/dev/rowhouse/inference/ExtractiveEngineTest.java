package dev.rowhouse.inference;

import static dev.rowhouse.inference.RunFixture.ACME;
import static dev.rowhouse.inference.RunFixture.model;
import static dev.rowhouse.inference.RunFixture.order;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.SharedKit;
import dev.rowhouse.inference.RunFixture.Answer;
import dev.rowhouse.inference.RunFixture.Order;
import dev.rowhouse.tenant.ModelSpec;
import java.io.IOException;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExtractiveEngineTest {
  @RegisterExtension
  static final SharedKit KIT = new SharedKit(() -> ActorTestKit.create("ExtractiveEngineTest"));

  private static final String WARRANTY = "The warranty is two years.";
  private static final String RETURNS = "Returns are free within thirty days.";
  private RunFixture fixture;

  @BeforeEach
  void start() {
    fixture = new RunFixture(KIT.get());
  }

  private Order asking(String... members) {
    Order order = order(model("rowhouse-extractive", ModelSpec.EMBEDDED, null));
    order.retrieve = true;
    String more = members.length == 0 ? "" : "," + String.join(",", members);
    order.body =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"How long is the warranty?\"}]"
            + more
            + "}";
    return order;
  }

  private Answer ask(String... members) {
    return fixture.finish(fixture.start(asking(members)));
  }

  private static String content(Answer answer) throws IOException {
    return answer.json().at("/choices/0/message/content").asText();
  }

  private static JsonNode citations(Answer answer) throws IOException {
    return answer.json().at("/rowhouse/citations");
  }

  private void refused(String param, Answer answer) {
    assertEquals(400, answer.report().httpStatus(), answer.toString());
    assertEquals("unsupported_value", answer.report().errorCode());
    assertTrue(String.valueOf(answer.report().errorMessage()).startsWith(param + ": "));
  }

  @Test
  void answersWithTheBestSentencesAndTheirPassages() throws IOException {
    fixture.documents.add(ACME, "terms.md", WARRANTY, 1.4);
    fixture.documents.add(ACME, "returns.md", RETURNS, 1.2);
    fixture.documents.add(ACME, "other.md", "Something else.", 0.3);
    Answer answer = ask();
    assertEquals(WARRANTY + " [1] " + RETURNS + " [2]", content(answer));
    assertEquals(2, citations(answer).size());
    assertEquals("terms.md", citations(answer).at("/0/filename").asText());
    assertEquals("returns.md", citations(answer).at("/1/filename").asText());
    assertEquals("stop", answer.json().at("/choices/0/finish_reason").asText());
    assertEquals("rowhouse-extractive", answer.json().path("model").asText());
  }

  @Test
  void countsTheTokensOfQuestionPassagesAndAnswer() throws IOException {
    fixture.documents.add(ACME, "terms.md", WARRANTY, 1.4);
    Answer answer = ask();
    long input = Tokens.count("How long is the warranty?") + Tokens.count(WARRANTY);
    assertEquals(input, answer.report().inputTokens());
    assertEquals(Tokens.count(content(answer)), answer.report().outputTokens());
    assertFalse(answer.report().estimated());
    assertEquals(input, answer.json().at("/usage/prompt_tokens").asLong());
  }

  @Test
  void saysPlainlyWhenNothingFits() throws IOException {
    fixture.documents.add(ACME, "other.md", "Something else.", 0.3);
    Answer answer = ask();
    assertEquals(ExtractiveEngine.NOTHING_FITS, content(answer));
    assertEquals(0, citations(answer).size());
  }

  @Test
  void saysWhenThereAreNoDocumentsOrRetrievalIsOff() throws IOException {
    assertEquals(ExtractiveEngine.NO_DOCUMENTS, content(ask()));
    Order off = asking();
    off.retrieve = false;
    assertEquals(ExtractiveEngine.RETRIEVAL_OFF, content(fixture.finish(fixture.start(off))));
  }

  @Test
  void quotesTheSameSentenceOnce() throws IOException {
    fixture.documents.add(ACME, "a.md", WARRANTY, 1.4);
    fixture.documents.add(ACME, "b.md", WARRANTY, 1.3);
    assertEquals(WARRANTY + " [1]", content(ask()));
  }

  @Test
  void streamsTheSameAnswerInPieces() throws IOException {
    fixture.documents.add(ACME, "terms.md", WARRANTY, 1.4);
    fixture.documents.add(ACME, "returns.md", RETURNS, 1.2);
    Order order = asking();
    order.stream = true;
    order.includeUsage = true;
    Answer answer = fixture.finish(fixture.start(order));
    List<JsonNode> chunks = answer.chunks();
    assertEquals(WARRANTY + " [1] " + RETURNS + " [2]", answer.text());
    assertTrue(chunks.size() > 5);
    assertEquals("assistant", chunks.getFirst().at("/choices/0/delta/role").asText());
    JsonNode finish = chunks.get(chunks.size() - 2);
    assertEquals("stop", finish.at("/choices/0/finish_reason").asText());
    assertEquals(2, finish.at("/rowhouse/citations").size());
    assertEquals(
        answer.report().outputTokens(), chunks.getLast().at("/usage/completion_tokens").asLong());
  }

  @ParameterizedTest
  @ValueSource(strings = {"max_tokens", "max_completion_tokens"})
  void endsAtTheTokenLimit(String param) throws IOException {
    fixture.documents.add(ACME, "terms.md", WARRANTY, 1.4);
    Answer answer = ask("\"" + param + "\":3");
    assertEquals("The warranty is", content(answer));
    assertEquals("length", answer.json().at("/choices/0/finish_reason").asText());
    assertEquals(3, answer.report().outputTokens());
  }

  @Test
  void endsBeforeAStopSequence() throws IOException {
    fixture.documents.add(ACME, "terms.md", WARRANTY, 1.4);
    assertEquals("The warranty is ", content(ask("\"stop\":[\"years\",\"two\"]")));
    assertEquals("The warranty ", content(ask("\"stop\":\"is\"")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "n | \"n\":2",
        "logprobs | \"logprobs\":true",
        "modalities | \"modalities\":[\"text\",\"audio\"]",
        "response_format | \"response_format\":{\"type\":\"json_object\"}",
        "response_format |"
            + " \"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}}}",
        "response_format |"
            + " \"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"enum\":[1,2]}}}",
        "tool_choice |"
            + " \"tool_choice\":\"required\",\"tools\":[{\"function\":{\"name\":\"a\"}},{\"function\":{\"name\":\"b\"}}]",
      })
  void refusesWhatNeedsAModelThatChooses(String param, String member) {
    refused(param, ask(member));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"max_tokens\":0",
        "\"max_tokens\":\"x\"",
        "\"stop\":\"\"",
        "\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]",
        "\"stop\":{\"a\":1}",
        "\"response_format\":{\"type\":\"xml\"}",
        "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"a\"}}",
      })
  void refusesWhatMakesNoSense(String member) {
    Answer answer = ask(member);
    assertEquals(400, answer.report().httpStatus());
    assertEquals("invalid_request_error", answer.report().errorCode());
  }

  @Test
  void fillsASchemaThatLeavesNoChoice() throws IOException {
    Answer answer =
        ask(
            "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"strict\":true,\"schema\":"
                + "{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\",\"enum\":[\"faq\"]},\"v\":{\"const\":2},"
                + "\"in\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"null\"}},\"required\":[\"n\"]},\"free\":{\"type\":\"string\"}},"
                + "\"required\":[\"kind\",\"v\",\"in\"],\"additionalProperties\":false}}}");
    assertEquals("{\"kind\":\"faq\",\"v\":2,\"in\":{\"n\":null}}", content(answer));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void callsAForcedToolThatLeavesNoChoice(boolean stream) throws IOException {
    Order order =
        asking(
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"route\",\"parameters\":{\"type\":\"object\","
                + "\"properties\":{\"to\":{\"enum\":[\"support\"]}},\"required\":[\"to\"]}}}]",
            "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"route\"}}");
    order.stream = stream;
    Answer answer = fixture.finish(fixture.start(order));
    List<JsonNode> chunks = answer.chunks();
    JsonNode call =
        stream
            ? chunks.get(1).at("/choices/0/delta/tool_calls/0")
            : chunks.getFirst().at("/choices/0/message/tool_calls/0");
    assertEquals("route", call.at("/function/name").asText(), answer.toString());
    assertEquals("{\"to\":\"support\"}", call.at("/function/arguments").asText());
    assertEquals("tool_calls", chunks.getLast().at("/choices/0/finish_reason").asText());
  }
}
