package dev.rowhouse.usage;

import java.nio.charset.StandardCharsets;

/**
 * Reads the parts of a {@link RecordPayload}, never beyond its end. What makes no sense is an
 * {@link IllegalArgumentException} or an {@link IndexOutOfBoundsException}.
 */
final class PayloadReader {
  private static final int SEVEN_BITS = 0x7f;
  private static final int SHIFT_MAX = 63;

  private final byte[] bytes;
  private final int end;
  private int at;

  PayloadReader(byte[] bytes, int end) {
    this(bytes, 0, end);
  }

  PayloadReader(byte[] bytes, int start, int end) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  int remaining() {
    return end - at;
  }

  private byte next() {
    if (at >= end) {
      throw new IllegalArgumentException("it ends too early");
    }
    return bytes[at++];
  }

  int octet() {
    return next() & 0xff;
  }

  long number() {
    byte part = next();
    if (part >= 0) {
      return part;
    }
    long value = part & SEVEN_BITS;
    for (int shift = 7; shift <= SHIFT_MAX; shift += 7) {
      part = next();
      value |= (long) (part & SEVEN_BITS) << shift;
      if (part >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a number without an end");
  }

  long signed() {
    long value = number();
    return (value >>> 1) ^ -(value & 1);
  }

  /** A number that fits the places of an array. */
  int index() {
    long value = number();
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("the number " + value + " is out of range");
    }
    return (int) value;
  }

  /** How many things follow of which each has at least so many bytes. */
  int count(int lengthMin) {
    long value = number();
    if (value < 0 || value > remaining() / lengthMin) {
      throw new IllegalArgumentException(value + " entries in " + remaining() + " bytes");
    }
    return (int) value;
  }

  String text() {
    int length = count(1);
    String text = new String(bytes, at, length, StandardCharsets.UTF_8);
    at += length;
    return text;
  }

  int fixedShort() {
    return (octet() << 8) | octet();
  }

  int fixedInt() {
    return (fixedShort() << 16) | fixedShort();
  }

  long fixedLong() {
    return ((long) fixedInt() << 32) | (fixedInt() & 0xffffffffL);
  }
}
