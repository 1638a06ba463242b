package dev.rowhouse.bench;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * One keep-alive connection of a client that asks a node for chat completions of given lengths. Raw
 * sockets, because the clients share the machine with what they measure.
 */
final class ChatConnection implements AutoCloseable {
  /** Above the longest queue time-out of a plan, which the node answers by itself. */
  private static final int READ_TIMEOUT_MILLIS = 120_000;

  private static final int BODY_MAX_BYTES = 1024 * 1024;
  private static final String TOKENS = "\"completion_tokens\":";
  private static final String QUEUED = "\"queue_ms\":";
  private static final String CODE = "\"code\":\"";

  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;
  private final int port;

  ChatConnection(int port) throws IOException {
    this.port = port;
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    in = new BufferedInputStream(socket.getInputStream(), 16 * 1024);
    out = socket.getOutputStream();
  }

  /**
   * A request: a prompt of so many words, an answer of so many tokens.
   *
   * @param declared whether the request says in {@code max_tokens} how long its answer will be
   */
  record Work(String model, int inputTokens, int outputTokens, boolean stream, boolean declared) {

    /** Not streamed, and without a word on the length of the answer, as most requests are. */
    static Work plain(String model, int inputTokens, int outputTokens) {
      return new Work(model, inputTokens, outputTokens, false, false);
    }
  }

  /**
   * What came of a request.
   *
   * @param firstNanos when the first token came; the end of an answer that is not streamed
   * @param code of the error, or the empty string
   * @param outputTokens as the answer's usage says
   * @param queueMillis as the answer says; -1 when it does not
   */
  record Outcome(
      Work work,
      long sentNanos,
      long firstNanos,
      long doneNanos,
      int status,
      String code,
      int outputTokens,
      long queueMillis) {

    boolean ok() {
      return status == 200 && code.isEmpty() && outputTokens == work.outputTokens();
    }

    double millis() {
      return (doneNanos - sentNanos) / 1e6;
    }

    double millisToFirst() {
      return (firstNanos - sentNanos) / 1e6;
    }

    /** In the units of fair sharing, with the weights that models have by default. */
    double cost() {
      return ok() ? work.inputTokens() + 2.0 * outputTokens : 0;
    }

    double tokens() {
      return ok() ? work.inputTokens() + outputTokens : 0;
    }
  }

  /** Sends a request, which was due at that time, and reads its whole answer. */
  Outcome ask(String key, Work work, long sent) throws IOException {
    byte[] request = request(key, work).getBytes(StandardCharsets.US_ASCII);
    out.write(request);
    HttpHead head = HttpHead.read(in);
    StringBuilder body = new StringBuilder();
    long first = head.chunked() ? readChunks(body) : readWhole(head, body);
    long done = System.nanoTime();
    String text = body.toString();
    boolean failed = text.contains("\"error\"");
    return new Outcome(
        work,
        sent,
        first == 0 ? done : first,
        done,
        head.status(),
        failed ? textAfter(text, CODE) : "",
        (int) numberAfter(text, TOKENS),
        numberAfter(text, QUEUED));
  }

  private String request(String key, Work work) {
    String body =
        """
        {"model":"%s","messages":[{"role":"user","content":"%s%d"}],%s%s\
        "rowhouse":{"retrieval":false}}\
        """
            .formatted(
                work.model(),
                "word ".repeat(work.inputTokens() - 1),
                work.outputTokens(),
                work.declared() ? "\"max_tokens\":" + work.outputTokens() + "," : "",
                work.stream()
                    ? "\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                    : "");
    return """
    POST /v1/chat/completions HTTP/1.1\r
    Host: 127.0.0.1:%d\r
    Authorization: Bearer %s\r
    Content-Type: application/json\r
    Content-Length: %d\r
    \r
    %s\
    """
        .formatted(port, key, body.length(), body);
  }

  private long readWhole(HttpHead head, StringBuilder body) throws IOException {
    if (head.contentLength() > BODY_MAX_BYTES) {
      throw new IOException("an answer of " + head.contentLength() + " bytes");
    }
    body.append(new String(in.readNBytes((int) head.contentLength()), StandardCharsets.UTF_8));
    return 0;
  }

  /** Keeps what is not the text of a token; tells when the first token came. */
  private long readChunks(StringBuilder body) throws IOException {
    long first = 0;
    for (int length = chunkLength(); length != 0; length = chunkLength()) {
      String chunk = new String(in.readNBytes(length), StandardCharsets.UTF_8);
      in.skipNBytes(2);
      if (chunk.contains("\"content\":\"word")) {
        first = first == 0 ? System.nanoTime() : first;
      }
      if (chunk.contains("\"usage\"") || chunk.contains("\"error\"") || chunk.contains(QUEUED)) {
        body.append(chunk);
      }
      if (body.length() > BODY_MAX_BYTES) {
        throw new IOException("a stream of over " + BODY_MAX_BYTES + " bytes");
      }
    }
    in.skipNBytes(2);
    return first;
  }

  private int chunkLength() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new IOException("the node closed the connection within an answer");
      }
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return Integer.parseInt(line.toString(), 16);
  }

  /** The number after the last such name; -1 when there is none. */
  private static long numberAfter(String text, String name) {
    int at = text.lastIndexOf(name);
    if (at < 0) {
      return -1;
    }
    int begin = at + name.length();
    int end = begin;
    while (end < text.length() && Character.isDigit(text.charAt(end))) {
      end++;
    }
    return end == begin ? -1 : Long.parseLong(text.substring(begin, end));
  }

  private static String textAfter(String text, String name) {
    int at = text.indexOf(name);
    if (at < 0) {
      return "unknown";
    }
    int begin = at + name.length();
    return text.substring(begin, text.indexOf('"', begin));
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
