package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Embeddings over HTTP: one answer, one record, and a clear no. */
class EmbeddingIT {
  private static final String EMBEDDER = "bge-small-en-v1.5";
  private static final String PATH = "/v1/embeddings";

  private static NodeProcess node;
  private static TenantClient acme;

  @BeforeAll
  static void start(@TempDir Path directory) {
    node = NodeProcess.started(directory);
    acme = node.tenant(node.operator().onboard("acme"));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void isSettledByTheEmbeddersCountUnderTheAnswersId() {
    String narrow =
        node.operator().onboard("narrow", "{\"models\": {\"allow\": [\"rowhouse-extractive\"]}}");
    TenantClient tenant = node.tenant(narrow);
    Reply reply =
        tenant
            .post(PATH, "{\"model\": \"" + EMBEDDER + "\", \"input\": [\"good day\", \"hello\"]}")
            .expect(200);
    assertEquals(3, reply.json().at("/usage/prompt_tokens").asInt());
    JsonNode record = tenant.usageRecords().getFirst();
    assertEquals(reply.requestId(), record.path("request_id").asText());
    assertEquals(EMBEDDER, record.path("model").asText());
    assertEquals(3, record.path("input_tokens").asInt());
    assertEquals(0, record.path("output_tokens").asInt(-1));
  }

  @Test
  void answersMoreThanOneMessageHoldsAndBothFormatsAlike() {
    StringBuilder texts = new StringBuilder("\"a day\"");
    for (int i = 1; i < 120; i++) {
      texts.append(",\"text ").append(i).append("\"");
    }
    String head = "{\"model\": \"" + EMBEDDER + "\", \"dimensions\": 384, \"input\": ";
    JsonNode many = acme.post(PATH, head + "[" + texts + "]}").expect(200).json().path("data");
    assertEquals(120, many.size());
    assertEquals(119, many.at("/119/index").asInt());
    String base64 =
        acme.post(PATH, head + "\"a day\", \"encoding_format\": \"base64\"}")
            .expect(200)
            .json()
            .at("/data/0/embedding")
            .asText();
    ByteBuffer floats =
        ByteBuffer.wrap(Base64.getDecoder().decode(base64)).order(ByteOrder.LITTLE_ENDIAN);
    double length = 0;
    for (JsonNode value : many.at("/0/embedding")) {
      float same = floats.getFloat();
      assertEquals(same, value.floatValue());
      length += same * same;
    }
    assertEquals(0, floats.remaining());
    assertEquals(1, length, 1e-4);
  }

  @Test
  void aModelIsGoodForOneThing() {
    Reply chat = acme.chat(EMBEDDER, "Hello?").expect(400);
    assertEquals("model", chat.errorParam());
    Reply embedding =
        acme.post(PATH, "{\"model\": \"rowhouse-extractive\", \"input\": \"a\"}").expect(400);
    assertEquals("model", embedding.errorParam());
  }

  @Test
  void tokensAndOtherLengthsAreRefusedByName() {
    String head = "{\"model\": \"" + EMBEDDER + "\", \"input\": ";
    Reply tokens = acme.post(PATH, head + "[15339, 1917]}").expect(400);
    assertEquals("input[0]", tokens.errorParam());
    assertTrue(tokens.body().contains("tokens are not taken"), tokens.body());
    Reply length = acme.post(PATH, head + "\"a\", \"dimensions\": 256}").expect(400);
    assertEquals("dimensions", length.errorParam());
  }
}
