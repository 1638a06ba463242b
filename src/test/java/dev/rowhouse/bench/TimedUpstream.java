package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;

/**
 * A model server whose answers take the time that tokens take: so long for each token of the
 * prompt, so long for each token of the answer. It serves all that comes at once; the slots in
 * front of it are what is measured. A process of its own; the arguments are its port and the two
 * times in microseconds.
 *
 * <p>A token of the prompt is a word; the last word is the number of tokens of the answer, so that
 * nobody but the server knows it. With {@code max_tokens} it has no more than that. A stream sends
 * the tokens of some twenty milliseconds in one event, as servers under load do, so that a thousand
 * tokens are not a thousand events.
 */
public final class TimedUpstream {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long EVENT_NANOS = 20_000_000;
  private static final String WORD = "word ";

  private final long inputNanos;
  private final long outputNanos;

  private TimedUpstream(long inputNanos, long outputNanos) {
    this.inputNanos = inputNanos;
    this.outputNanos = outputNanos;
  }

  public static void main(String[] args) throws IOException {
    int port = Integer.parseInt(args[0]);
    TimedUpstream upstream =
        new TimedUpstream(Long.parseLong(args[1]) * 1_000, Long.parseLong(args[2]) * 1_000);
    try (ServerSocket server = new ServerSocket(port, 4096, InetAddress.getLoopbackAddress())) {
      while (true) {
        Socket socket = server.accept();
        Thread.ofVirtual().start(() -> upstream.serve(socket));
      }
    }
  }

  private void serve(Socket accepted) {
    try (Socket socket = accepted) {
      socket.setTcpNoDelay(true);
      InputStream in = new BufferedInputStream(socket.getInputStream(), 16 * 1024);
      OutputStream out = socket.getOutputStream();
      while (true) {
        HttpHead head = HttpHead.read(in);
        byte[] body = in.readNBytes((int) head.contentLength());
        answer(JSON.readTree(body), System.nanoTime(), out);
      }
    } catch (EOFException clientIsDone) {
      // Keep-alive ends when the client wants it to.
    } catch (IOException lost) {
      // A node that is stopped, or gives a request up, drops the connection.
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private void answer(JsonNode request, long begin, OutputStream out)
      throws IOException, InterruptedException {
    String prompt = request.path("messages").path(0).path("content").asText().strip();
    long input = 1 + prompt.chars().filter(c -> c == ' ').count();
    int output =
        Math.min(
            Integer.parseInt(prompt.substring(prompt.lastIndexOf(' ') + 1)),
            request.path("max_tokens").asInt(Integer.MAX_VALUE));
    long firstToken = begin + input * inputNanos;
    if (request.path("stream").asBoolean()) {
      stream(input, output, firstToken, out);
    } else {
      sleepUntil(firstToken + output * outputNanos);
      String body = whole(input, output);
      write(
          out,
          "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
              + body.length()
              + "\r\n\r\n"
              + body);
    }
  }

  private void stream(long input, int output, long firstToken, OutputStream out)
      throws IOException, InterruptedException {
    sleepUntil(firstToken);
    write(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            + event(chunk("{\"role\":\"assistant\",\"content\":\"\"}", "null")));
    int tokensPerEvent = (int) Math.max(1, EVENT_NANOS / Math.max(1, outputNanos));
    for (int sent = 0; sent < output; ) {
      int tokens = Math.min(sent == 0 ? 1 : tokensPerEvent, output - sent);
      sent += tokens;
      sleepUntil(firstToken + sent * outputNanos);
      write(out, event(chunk("{\"content\":\"" + WORD.repeat(tokens) + "\"}", "null")));
    }
    write(
        out,
        event(chunk("{}", "\"length\""))
            + event(
                """
                {"id":"chatcmpl-timed","object":"chat.completion.chunk","created":1700000000,\
                "model":"timed","choices":[],"usage":%s}\
                """
                    .formatted(usage(input, output)))
            + event("[DONE]")
            + "0\r\n\r\n");
  }

  private static void sleepUntil(long nanos) throws InterruptedException {
    long left = nanos - System.nanoTime();
    if (left > 0) {
      Thread.sleep(Duration.ofNanos(left));
    }
  }

  private static String whole(long input, int output) {
    return """
    {"id":"chatcmpl-timed","object":"chat.completion","created":1700000000,\
    "model":"timed","choices":[{"index":0,"message":{"role":"assistant","content":"%s"},\
    "finish_reason":"length"}],"usage":%s}\
    """
        .formatted(WORD.repeat(output).strip(), usage(input, output));
  }

  private static String usage(long input, int output) {
    return String.format(
        Locale.ROOT,
        "{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d}",
        input,
        output,
        input + output);
  }

  private static String chunk(String delta, String finishReason) {
    return """
    {"id":"chatcmpl-timed","object":"chat.completion.chunk","created":1700000000,\
    "model":"timed","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}\
    """
        .formatted(delta, finishReason);
  }

  /** One event of a stream as a chunk of HTTP. */
  private static String event(String data) {
    String event = "data: " + data + "\n\n";
    return Integer.toHexString(event.length()) + "\r\n" + event + "\r\n";
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.US_ASCII));
  }
}
