package dev.rowhouse.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PushbackInputStream;
import java.io.Serial;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One client's connection to the fake upstream: HTTP/1.1 with keep-alive, as much of it as a proxy
 * uses. While it waits it listens, so that it notices a client that leaves.
 */
final class UpstreamConnection {
  private static final int LINE_MAX_BYTES = 64 * 1024;
  private static final Pattern CANARY = Pattern.compile("canary-[a-z0-9-]+");
  private static final long LOOK_MILLIS = 20;
  private static final Duration SILENCE = Duration.ofMinutes(10);

  private final Socket socket;
  private final PushbackInputStream in;
  private final OutputStream out;
  private JsonNode request = MissingNode.getInstance();

  UpstreamConnection(Socket socket) throws IOException {
    this.socket = socket;
    socket.setTcpNoDelay(true);
    in = new PushbackInputStream(new BufferedInputStream(socket.getInputStream()), 1);
    out = socket.getOutputStream();
  }

  /** The client closed its connection before the answer was complete. */
  static final class ClientLeft extends IOException {
    @Serial private static final long serialVersionUID = 1L;

    ClientLeft(IOException cause) {
      super(cause);
    }

    ClientLeft() {}
  }

  /** Reads the next request, or returns false when the client has no more. */
  boolean readRequest() throws IOException {
    socket.setSoTimeout(0);
    String requestLine = readLine();
    if (requestLine.isEmpty()) {
      return false;
    }
    int length = 0;
    boolean chunked = false;
    for (String header = readLine(); !header.isEmpty(); header = readLine()) {
      String lower = header.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Integer.parseInt(lower.substring("content-length:".length()).strip());
      } else if (lower.startsWith("transfer-encoding:") && lower.contains("chunked")) {
        chunked = true;
      } else if (lower.startsWith("expect:")) {
        out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      }
    }
    request = Reply.JSON.readTree(chunked ? readChunks() : in.readNBytes(length));
    return true;
  }

  String model() {
    return request.path("model").asText();
  }

  InetAddress address() {
    return socket.getInetAddress();
  }

  /** The canary of the prompt, or an ordinary word. */
  private String firstWord() {
    Matcher canary = CANARY.matcher(request.path("messages").toString());
    return canary.find() ? canary.group() : "word";
  }

  /**
   * Answers, as slowly as the behaviour says.
   *
   * @param held as long as it says so, the end of a good answer does not come
   */
  void answer(Behaviour behaviour, BooleanSupplier held) throws IOException {
    if (behaviour.silent()) {
      listenFor(SILENCE.toMillis());
    } else if (behaviour.status() != 200) {
      send(
          behaviour.status(),
          behaviour.retryAfterSeconds() == 0
              ? ""
              : "retry-after: " + behaviour.retryAfterSeconds() + "\r\n",
          "{\"error\": {\"message\": \"the fake fails\"}}");
    } else if (request.path("stream").asBoolean()) {
      stream(behaviour, held);
    } else {
      listenFor(behaviour.tokens() * behaviour.tokenMillis());
      listenWhile(held);
      send(200, "", FakeAnswers.whole(model(), firstWord(), behaviour));
    }
  }

  private void stream(Behaviour behaviour, BooleanSupplier held) throws IOException {
    write(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
    event(FakeAnswers.chunk(model(), "{\"role\":\"assistant\",\"content\":\"\"}", "null"));
    for (int token = 0; token < behaviour.tokens(); token++) {
      if (token == behaviour.cutAfter()) {
        // Without the closing chunk: to the client this is a connection that broke.
        socket.close();
        return;
      }
      listenFor(behaviour.tokenMillis());
      String word = token == 0 ? firstWord() : "word";
      event(FakeAnswers.chunk(model(), "{\"content\":\"" + word + " \"}", "null"));
    }
    listenWhile(held);
    event(FakeAnswers.chunk(model(), "{}", "\"stop\""));
    if (tellsUsage(behaviour)) {
      event(FakeAnswers.usageChunk(model(), behaviour.tokens()));
    }
    event("[DONE]");
    write("0\r\n\r\n");
  }

  private boolean tellsUsage(Behaviour behaviour) {
    return switch (behaviour.usage()) {
      case ALWAYS -> true;
      case WHEN_ASKED -> request.path("stream_options").path("include_usage").asBoolean();
      case NEVER -> false;
    };
  }

  /** Waits, and throws when the client leaves meanwhile. */
  private void listenFor(long millis) throws IOException {
    if (millis <= 0) {
      return;
    }
    socket.setSoTimeout((int) millis);
    try {
      int next = in.read();
      if (next < 0) {
        throw new ClientLeft();
      }
      in.unread(next);
    } catch (SocketTimeoutException stillThere) {
      // Nothing came for so long, as it should be.
    } catch (ClientLeft left) {
      throw left;
    } catch (IOException reset) {
      throw new ClientLeft(reset);
    }
  }

  private void listenWhile(BooleanSupplier held) throws IOException {
    while (held.getAsBoolean()) {
      listenFor(LOOK_MILLIS);
    }
  }

  private void send(int status, String headers, String json) throws IOException {
    int length = json.getBytes(StandardCharsets.UTF_8).length;
    write(
        "HTTP/1.1 %d Fake\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s"
            .formatted(status, headers, length, json));
  }

  private void event(String data) throws IOException {
    byte[] event = ("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8);
    write(Integer.toHexString(event.length) + "\r\n" + "data: " + data + "\n\n\r\n");
  }

  private void write(String text) throws IOException {
    try {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException gone) {
      throw new ClientLeft(gone);
    }
  }

  private byte[] readChunks() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    while (true) {
      int length = Integer.parseInt(readLine().strip(), 16);
      body.write(in.readNBytes(length));
      readLine();
      if (length == 0) {
        return body.toByteArray();
      }
    }
  }

  private String readLine() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
      if (next != '\r') {
        line.append((char) next);
      }
      if (line.length() > LINE_MAX_BYTES) {
        throw new IOException("a header line without an end");
      }
    }
    return line.toString();
  }
}
