package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.FakeUpstream.UsagePolicy;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The fake does what the tests that rest on it think it does. */
class FakeUpstreamTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final FakeUpstream upstream = FakeUpstream.start();
  private final TenantClient client = new TenantClient(upstream.baseUrl().resolve("/"), null);

  @AfterEach
  void stop() {
    upstream.close();
  }

  @Test
  void answersInOnePiece() {
    Reply reply = client.chat("any", "Hello?").expect(200);
    assertEquals("word word word word word", reply.answer());
    assertEquals(5, reply.json().at("/usage/completion_tokens").asInt());
    assertEquals(1, upstream.calls());
  }

  @Test
  void streamsTokenByTokenAndTellsUsageAsItsPolicySays() {
    upstream.on("chatty", Behaviour.of(3, 1).usage(UsagePolicy.ALWAYS));
    TenantClient.Stream chatty = client.stream(TenantClient.chatBody("chatty", "Hello?", true));
    assertTrue(chatty.done());
    assertEquals("word word word", chatty.text().strip());
    assertTrue(chatty.events().stream().anyMatch(event -> event.contains("usage")));

    TenantClient.Stream plain = client.stream(TenantClient.chatBody("any", "Hello?", true));
    assertTrue(plain.done());
    assertFalse(plain.events().stream().anyMatch(event -> event.contains("usage")));
  }

  @Test
  void failsWithAStatus() {
    upstream.on("broken", Behaviour.of(1, 0).failingWith(500));
    client.chat("broken", "Hello?").expect(500);
    client.chat("any", "the connection lives on").expect(200);
  }

  @Test
  void cutsAStreamWithoutAnEnd() {
    upstream.on("cut", Behaviour.of(5, 1).cutAfter(2));
    String body = TenantClient.chatBody("cut", "Hello?", true);
    assertThrows(IOException.class, () -> client.streamOrThrow(body, ApiClient.DEADLINE));
    assertEquals(0, upstream.cancelled());
  }

  @Test
  void endsNoAnswerThatIsHeld() throws Exception {
    upstream.hold("held");
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Reply> whole = clients.submit(() -> client.chat("held", "Hello?"));
      Future<TenantClient.Stream> stream =
          clients.submit(() -> client.stream(TenantClient.chatBody("held", "Hello?", true)));
      Await.until("both run", PATIENCE, () -> upstream.running() == 2);
      assertFalse(whole.isDone() || stream.isDone());
      upstream.letGo("held");
      whole.get().expect(200);
      assertTrue(stream.get().done());
    }
  }

  @Test
  void noticesAClientThatLeavesAStream() throws IOException {
    upstream.on("slow", Behaviour.of(100_000, 20));
    try (InputStream body =
        client.openStream(TenantClient.chatBody("slow", "Hello?", true)).body()) {
      assertTrue(body.read() >= 0);
    }
    Await.until("cancelled", PATIENCE, () -> upstream.cancelled() == 1);
    Await.until("none runs", PATIENCE, () -> upstream.running() == 0);
  }

  @Test
  void noticesAClientThatGivesUpOnAnAnswer() {
    upstream.on("silent", Behaviour.of(1, 0).keepingSilent());
    String body = TenantClient.chatBody("silent", "Hello?", false);
    var answer =
        ApiClient.HTTP.sendAsync(
            client.chatRequest(body, ApiClient.DEADLINE), BodyHandlers.discarding());
    Await.until("it runs", PATIENCE, () -> upstream.running() == 1);
    answer.cancel(true);
    Await.until("cancelled", PATIENCE, () -> upstream.cancelled() == 1);
  }
}
