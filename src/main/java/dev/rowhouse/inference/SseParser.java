package dev.rowhouse.inference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.pekko.util.ByteString;

/**
 * Reads the data of server-sent events out of bytes that are cut anywhere, also within a character
 * (WHATWG HTML, 9.2.6). Line ends are LF, CR LF or CR. Only data matters here: comments, ids, event
 * names and retries are skipped. An event without its empty line at the end of the stream is not
 * dispatched, as the standard says.
 */
final class SseParser {
  private static final byte[] DATA = {'d', 'a', 't', 'a'};

  private final int eventBytesMax;
  private byte[] line = new byte[1024];
  private int lineLength;
  private byte[] data = new byte[1024];
  private int dataLength;
  private boolean hasData;
  private boolean afterCarriageReturn;
  private boolean atStart = true;

  SseParser(int eventBytesMax) {
    this.eventBytesMax = eventBytesMax;
  }

  /** An event or line is longer than we keep in memory. */
  static final class TooLong extends Exception {
    TooLong() {
      super("an event is too long");
    }
  }

  /** The data of each event that these bytes complete. */
  List<byte[]> feed(ByteString bytes) throws TooLong {
    byte[] in = bytes.toArrayUnsafe();
    List<byte[]> events = new ArrayList<>(2);
    int start = 0;
    for (int i = 0; i < in.length; i++) {
      byte b = in[i];
      if (b == '\n' && afterCarriageReturn) {
        afterCarriageReturn = false;
        start = i + 1;
      } else if (b == '\n' || b == '\r') {
        appendToLine(in, start, i);
        endLine(events);
        afterCarriageReturn = b == '\r';
        start = i + 1;
      } else {
        afterCarriageReturn = false;
      }
    }
    appendToLine(in, start, in.length);
    return events;
  }

  private void appendToLine(byte[] in, int from, int to) throws TooLong {
    int n = to - from;
    if (n == 0) {
      return;
    }
    if (lineLength + n > eventBytesMax) {
      throw new TooLong();
    }
    if (line.length - lineLength < n) {
      line = Arrays.copyOf(line, Math.max(line.length * 2, lineLength + n));
    }
    System.arraycopy(in, from, line, lineLength, n);
    lineLength += n;
  }

  private void endLine(List<byte[]> events) throws TooLong {
    int from = 0;
    if (atStart) {
      atStart = false;
      if (lineLength >= 3
          && line[0] == (byte) 0xEF
          && line[1] == (byte) 0xBB
          && line[2] == (byte) 0xBF) {
        from = 3; // a byte order mark
      }
    }
    if (lineLength == from) {
      if (hasData) {
        events.add(Arrays.copyOf(data, dataLength));
      }
      hasData = false;
      dataLength = 0;
    } else if (isData(from)) {
      int value = from + DATA.length;
      if (value < lineLength) {
        value++; // the colon
        if (value < lineLength && line[value] == ' ') {
          value++;
        }
      }
      appendToData(value);
    }
    lineLength = 0;
  }

  private boolean isData(int from) {
    int n = lineLength - from;
    return n >= DATA.length
        && Arrays.equals(line, from, from + DATA.length, DATA, 0, DATA.length)
        && (n == DATA.length || line[from + DATA.length] == ':');
  }

  private void appendToData(int from) throws TooLong {
    int n = lineLength - from + (hasData ? 1 : 0);
    if (dataLength + n > eventBytesMax) {
      throw new TooLong();
    }
    if (data.length - dataLength < n) {
      data = Arrays.copyOf(data, Math.max(data.length * 2, dataLength + n));
    }
    if (hasData) {
      data[dataLength++] = '\n';
    }
    System.arraycopy(line, from, data, dataLength, lineLength - from);
    dataLength += lineLength - from;
    hasData = true;
  }
}
