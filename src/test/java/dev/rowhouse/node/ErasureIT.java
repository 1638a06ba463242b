package dev.rowhouse.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A tenant that leaves, and what a disk knows of it afterwards. */
@Timeout(300)
class ErasureIT {
  private static final String MODEL = "rowhouse-extractive";

  /** One word that the house never says by itself, for each place. */
  private static final String CANARY = "Quetzalcanary";

  @Test
  void nothingOfATenantIsLeftInClearAndItsTokensStay(@TempDir Path directory) throws Exception {
    try (NodeProcess node = NodeProcess.started(directory)) {
      Operator operator = node.operator();
      TenantClient tenant =
          node.tenant(
              operator.onboard(
                  "leaves",
                  """
                  {"display_name": "%1$s-name", "prompts": {"greet": {"template": "%1$s-prompt"}},
                   "models": {"aliases": {"%1$s-alias": "rowhouse-extractive"}}}
                  """
                      .formatted(CANARY)));
      operator.post("/admin/tenants/leaves/keys", "{\"name\": \"" + CANARY + "-key\"}").expect(201);
      tenant.attach(
          "default", tenant.upload(CANARY + "-file.md", "# Returns\n\n" + CANARY + "-text.\n"));
      ask(tenant).expect(200);
      assertEquals(
          CANARY + "-label", tenant.usageRecords().getFirst().path("client_request_id").asText());
      Await.until(
          "the list shows the name",
          Duration.ofSeconds(20),
          () -> operator.get("/admin/tenants").body().contains(CANARY + "-name"));
      assertEquals(
          CANARY + "-name",
          operator.get("/admin/tenants/leaves").json().path("display_name").asText());
      assertEquals(
          CANARY + "-label", tenant.usageRecords().getFirst().path("client_request_id").asText());
      String keys = "/admin/usage?bucket=hour&group_by=key&tenant=leaves";
      Await.until(
          "the operator's tables have the request",
          Duration.ofSeconds(20),
          () -> operator.get(keys).json().at("/total/requests").asInt() == 1);
      assertNotEquals("erased", operator.get(keys).json().at("/data/0/key").asText());

      Reply report = operator.delete("/admin/tenants/leaves").expect(200);
      verify(report.json(), operator.get("/admin/erasure-key").expect(200).json());
      JsonNode erased = report.json().path("erased");
      assertEquals(1, erased.path("files").asInt(), report.body());
      assertTrue(erased.path("chunks").asInt() >= 1, report.body());
      assertEquals(2, erased.path("keys").asInt(), report.body());
      assertEquals(1, erased.path("prompts").asInt(), report.body());
      assertEquals(1, erased.path("display_names").asInt(), report.body());
      assertEquals(1, erased.path("idempotency_keys").asInt(), report.body());
      assertEquals(1, erased.path("usage_key_ids").asInt(), report.body());
      assertTrue(erased.path("index_directories").asInt() >= 1, report.body());
      assertEquals(1, report.json().at("/kept/usage/records").asInt(), report.body());
      assertTrue(report.json().at("/kept/usage/input_tokens").asInt() > 0, report.body());
      assertFalse(report.body().contains(CANARY), "a report names nobody");

      JsonNode usage = operator.get(keys).expect(200).json();
      assertEquals("erased", usage.at("/data/0/key").asText(), usage.toString());
      assertEquals(report.json().at("/kept/usage/input_tokens"), usage.at("/total/input_tokens"));
      String reconciled = operator.post("/admin/reconcile?tenant=leaves", "").expect(200).body();
      assertTrue(
          reconciled.contains("\"type\":\"done\",\"tenants\":1,\"differing\":0"), reconciled);

      assertEquals(report.body(), operator.delete("/admin/tenants/leaves").expect(200).body());
      operator.get("/admin/tenants/leaves").expect(404);
      ask(tenant).expect(401);
      operator.delete("/admin/tenants/never-was").expect(404);

      assertEquals(0, node.stop());
      assertEquals(List.of(), filesWith(node.data(), CANARY));
      assertFalse(Files.exists(node.data().resolve("index/leaves")));

      // A start reads the journal of a tenant whose key is gone.
      node.start().awaitReady();
      assertEquals(report.body(), operator.delete("/admin/tenants/leaves").expect(200).body());
      operator.get("/admin/tenants/leaves").expect(404);
    }
  }

  @Test
  void aNodeWithoutItsMasterKeyDoesNotStart(@TempDir Path directory) throws Exception {
    try (NodeProcess node = NodeProcess.started(directory)) {
      node.operator().onboard("stays");
      assertEquals(0, node.stop());
      Path file = node.data().resolve("master-key");
      String key = Files.readString(file);
      Files.delete(file);
      node.start();
      assertEquals(8, node.awaitExit(Duration.ofSeconds(90)));
      assertTrue(node.standardError().contains("The master key is missing"), node.standardError());
      assertFalse(Files.exists(file), "no new key takes its place");
      Files.writeString(file, key.replace(key.charAt(0), key.charAt(0) == '0' ? '1' : '0'));
      node.start();
      assertEquals(8, node.awaitExit(Duration.ofSeconds(90)));
      assertTrue(node.standardError().contains("not the one"), node.standardError());
      Files.writeString(file, key);
      node.start().awaitReady();
      node.operator().get("/admin/tenants/stays").expect(200);
    }
  }

  private static Reply ask(TenantClient tenant) {
    return tenant.send(
        "POST",
        "/v1/chat/completions",
        BodyPublishers.ofString(
            TenantClient.chatBody(MODEL, "What of the " + CANARY + "-question?", false)),
        Map.of(
            "content-type", "application/json",
            "x-client-request-id", CANARY + "-label",
            "Idempotency-Key", CANARY + "-idempotency"));
  }

  private static void verify(JsonNode report, JsonNode published) throws Exception {
    JsonNode signature = report.path("signature");
    assertEquals(published.path("key_id"), signature.path("key_id"));
    assertEquals(published.path("public_key"), signature.path("public_key"));
    byte[] payload = Base64.getDecoder().decode(signature.path("payload").asText());
    ObjectNode signed = report.deepCopy();
    signed.remove("signature");
    assertEquals(signed, Reply.JSON.readTree(payload));
    String pem = published.path("public_key").asText().replaceAll("-----[A-Z ]+-----|\\s", "");
    Signature verifier = Signature.getInstance("Ed25519");
    verifier.initVerify(
        KeyFactory.getInstance("Ed25519")
            .generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(pem))));
    verifier.update(payload);
    assertTrue(verifier.verify(Base64.getDecoder().decode(signature.path("value").asText())));
  }

  private static List<Path> filesWith(Path root, String word) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        if (contains(bytes, word.getBytes(UTF_8))
            || contains(bytes, word.getBytes(java.nio.charset.StandardCharsets.UTF_16BE))) {
          found.add(file);
        }
      }
    }
    return found;
  }

  private static boolean contains(byte[] bytes, byte[] word) {
    String text = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
    return text.contains(new String(word, java.nio.charset.StandardCharsets.ISO_8859_1));
  }
}
