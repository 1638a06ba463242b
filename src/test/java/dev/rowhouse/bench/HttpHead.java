package dev.rowhouse.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * The head of an HTTP/1.1 message, as much of it as the benchmarks need.
 *
 * @param firstLine the request or status line
 * @param contentLength 0 when there is none
 */
record HttpHead(String firstLine, long contentLength, boolean chunked) {
  private static final int LENGTH_MAX_BYTES = 32 * 1024;
  private static final String LENGTH = "\ncontent-length:";

  int status() {
    return Integer.parseInt(firstLine.substring(9, 12));
  }

  /** Reads up to the empty line and not a byte more. */
  static HttpHead read(InputStream in) throws IOException {
    byte[] bytes = new byte[LENGTH_MAX_BYTES];
    int length = 0;
    while (!endsWithAnEmptyLine(bytes, length)) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException("the peer closed the connection");
      }
      if (length == bytes.length) {
        throw new IOException("a head of over " + LENGTH_MAX_BYTES + " bytes");
      }
      bytes[length++] = (byte) next;
    }
    String head = new String(bytes, 0, length, StandardCharsets.US_ASCII);
    String lower = head.toLowerCase(Locale.ROOT);
    return new HttpHead(
        head.substring(0, head.indexOf('\r')),
        contentLength(lower),
        lower.contains("transfer-encoding: chunked"));
  }

  private static boolean endsWithAnEmptyLine(byte[] bytes, int length) {
    return length >= 4
        && bytes[length - 1] == '\n'
        && bytes[length - 2] == '\r'
        && bytes[length - 3] == '\n';
  }

  private static long contentLength(String head) {
    int at = head.indexOf(LENGTH);
    if (at < 0) {
      return 0;
    }
    int end = head.indexOf('\r', at);
    return Long.parseLong(head.substring(at + LENGTH.length(), end).strip());
  }
}
