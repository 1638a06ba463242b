package dev.rowhouse.inference;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.pekko.util.ByteString;

/** JSON put together from ready pieces of bytes. */
final class JsonBytes {
  private byte[] bytes;
  private int length;

  JsonBytes(int sizeHint) {
    bytes = new byte[Math.max(64, sizeHint)];
  }

  /** Text that is JSON already, ASCII only. */
  JsonBytes raw(String ascii) {
    int n = ascii.length();
    ensure(n);
    for (int i = 0; i < n; i++) {
      bytes[length + i] = (byte) ascii.charAt(i);
    }
    length += n;
    return this;
  }

  JsonBytes raw(ByteString json) {
    ensure(json.size());
    json.copyToArray(bytes, length, json.size());
    length += json.size();
    return this;
  }

  /** Bytes that are JSON already. A line end between tokens would break SSE, so it is a space. */
  JsonBytes raw(byte[] json, int from, int to) {
    ensure(to - from);
    for (int i = from; i < to; i++) {
      byte b = json[i];
      bytes[length++] = b == '\n' || b == '\r' ? (byte) ' ' : b;
    }
    return this;
  }

  /** A JSON string. */
  JsonBytes string(String text) {
    byte[] quoted = JsonStringEncoder.getInstance().quoteAsUTF8(text);
    ensure(quoted.length + 2);
    bytes[length++] = '"';
    System.arraycopy(quoted, 0, bytes, length, quoted.length);
    length += quoted.length;
    bytes[length++] = '"';
    return this;
  }

  JsonBytes number(long value) {
    return raw(Long.toString(value));
  }

  /** A finite number; others have no JSON and become 0. */
  JsonBytes number(double value) {
    return raw(Double.isFinite(value) ? Double.toString(value) : "0");
  }

  /** As {@link #number(double)}, with no more digits than tell one float from the next. */
  JsonBytes number(float value) {
    return raw(Float.isFinite(value) ? Float.toString(value) : "0");
  }

  int length() {
    return length;
  }

  /** Forgets what was written after this length. */
  void truncate(int to) {
    length = Math.min(length, to);
  }

  ByteString done() {
    return ByteString.fromArray(bytes, 0, length);
  }

  @Override
  public String toString() {
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }

  private void ensure(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
