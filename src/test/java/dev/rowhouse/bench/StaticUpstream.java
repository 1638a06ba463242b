package dev.rowhouse.bench;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * A model server that costs next to nothing: it answers every request with the same chat completion
 * of 1.2 kB. A process of its own; the argument is its port.
 */
public final class StaticUpstream {
  private static final int CONTENT_CHARACTERS = 900;
  private static final byte[] RESPONSE = response();

  private StaticUpstream() {}

  public static void main(String[] args) throws IOException {
    int port = Integer.parseInt(args[0]);
    try (ServerSocket server = new ServerSocket(port, 1024, InetAddress.getLoopbackAddress())) {
      while (true) {
        Socket socket = server.accept();
        Thread.ofVirtual().start(() -> serve(socket));
      }
    }
  }

  private static byte[] response() {
    String body =
        """
        {"id":"chatcmpl-static","object":"chat.completion","created":1700000000,\
        "model":"static","choices":[{"index":0,"message":{"role":"assistant","content":"%s"},\
        "finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":180,\
        "total_tokens":200}}\
        """
            .formatted("word ".repeat(CONTENT_CHARACTERS / 5).strip());
    String head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            .formatted(body.length());
    return (head + body).getBytes(StandardCharsets.US_ASCII);
  }

  private static void serve(Socket accepted) {
    try (Socket socket = accepted) {
      socket.setTcpNoDelay(true);
      InputStream in = new BufferedInputStream(socket.getInputStream(), 16 * 1024);
      OutputStream out = socket.getOutputStream();
      while (true) {
        HttpHead head = HttpHead.read(in);
        in.skipNBytes(head.contentLength());
        out.write(RESPONSE);
      }
    } catch (EOFException clientIsDone) {
      // Keep-alive ends when the client wants it to.
    } catch (IOException lost) {
      // A proxy that is stopped drops its connections.
    }
  }
}
