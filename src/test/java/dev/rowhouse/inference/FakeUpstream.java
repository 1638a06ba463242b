package dev.rowhouse.inference;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A real HTTP server on loopback that behaves as badly as a test wants. */
final class FakeUpstream implements AutoCloseable {
  record Request(String path, Map<String, String> headers, String body) {}

  /** Answers one request by writing bytes; an exception closes the connection. */
  @FunctionalInterface
  interface Script {
    void answer(Request request, Wire wire) throws Exception;
  }

  final List<Request> requests = new CopyOnWriteArrayList<>();
  final AtomicInteger connections = new AtomicInteger();
  final AtomicInteger openConnections = new AtomicInteger();
  final AtomicLong bytesSent = new AtomicLong();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final ServerSocket server;
  private volatile Script script;

  FakeUpstream(Script script) throws IOException {
    this.script = script;
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  void script(Script next) {
    script = next;
  }

  String baseUrl() {
    return "http://127.0.0.1:" + server.getLocalPort() + "/v1";
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        sockets.add(socket);
        connections.incrementAndGet();
        openConnections.incrementAndGet();
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setSendBufferSize(16_384);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      for (Request request = read(in); request != null; request = read(in)) {
        requests.add(request);
        script.answer(request, new Wire(socket));
      }
    } catch (Exception e) {
      // The script wanted it, or the client left: either way the connection is over.
    } finally {
      openConnections.decrementAndGet();
    }
  }

  private static @Nullable Request read(InputStream in) throws IOException {
    String first = line(in);
    if (first.isEmpty()) {
      return null;
    }
    Map<String, String> headers = new TreeMap<>();
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      int colon = header.indexOf(':');
      headers.put(
          header.substring(0, colon).toLowerCase(Locale.ROOT), header.substring(colon + 1).strip());
    }
    int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
    String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
    return new Request(first.split(" ", -1)[1], headers, body);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
      if (b != '\r') {
        line.append((char) b);
      }
    }
    return line.toString();
  }

  /** The answering side of a connection. */
  final class Wire {
    private final Socket socket;
    private final OutputStream out;

    private Wire(Socket socket) throws IOException {
      this.socket = socket;
      this.out = socket.getOutputStream();
    }

    void raw(byte[] bytes) throws IOException {
      out.write(bytes);
      out.flush();
      bytesSent.addAndGet(bytes.length);
    }

    void raw(String text) throws IOException {
      raw(text.getBytes(StandardCharsets.UTF_8));
    }

    void json(int status, String body, String... headers) throws IOException {
      String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
      raw(
          "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s"
              .formatted(status, more, body.getBytes(StandardCharsets.UTF_8).length, body));
    }

    void startStream() throws IOException {
      raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n");
      raw("Transfer-Encoding: chunked\r\n\r\n");
    }

    void chunk(byte[] bytes) throws IOException {
      raw(Integer.toHexString(bytes.length) + "\r\n");
      raw(bytes);
      raw("\r\n");
    }

    void event(String data) throws IOException {
      chunk(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
    }

    void delta(String content) throws IOException {
      event(
          "{\"id\":\"up-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"secret-alias-2\","
              + "\"choices\":[{\"index\":0,\"delta\":{\"content\":\""
              + content
              + "\"},\"finish_reason\":null}],\"usage\":null}");
    }

    void finish() throws IOException {
      event(
          "{\"id\":\"up-1\",\"model\":\"secret-alias-2\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}");
    }

    void usage(long input, long output) throws IOException {
      event(
          "{\"id\":\"up-1\",\"model\":\"secret-alias-2\",\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d}}"
              .formatted(input, output, input + output));
    }

    void done() throws IOException {
      event("[DONE]");
      raw("0\r\n\r\n");
    }

    /** Waits until the client has closed its side. */
    void awaitClose() throws IOException {
      try {
        while (socket.getInputStream().read() >= 0) {
          // what it still sends is of no interest
        }
      } catch (SocketException e) {
        // a reset is a close, too
      }
    }

    /** Waits until the client begins another request on this connection. */
    void awaitNextRequest() throws IOException {
      if (socket.getInputStream().read() < 0) {
        throw new IOException("the client keeps no connection");
      }
    }

    void reset() throws IOException {
      socket.setSoLinger(true, 0);
      socket.close();
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
