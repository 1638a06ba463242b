package dev.rowhouse.usage;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes the parts of a {@link RecordPayload}. */
final class PayloadWriter {
  private static final int LENGTH_FIRST = 256;
  private static final int NUMBER_LENGTH_MAX = 10;
  private static final int SEVEN_BITS = 0x7f;
  private static final int MORE = 0x80;

  private byte[] bytes = new byte[LENGTH_FIRST];
  private int at;

  void octet(int value) {
    room(1);
    bytes[at++] = (byte) value;
  }

  /** Seven bits a byte, the lowest first. */
  void number(long value) {
    room(NUMBER_LENGTH_MAX);
    long rest = value;
    while ((rest & ~SEVEN_BITS) != 0) {
      bytes[at++] = (byte) ((rest & SEVEN_BITS) | MORE);
      rest >>>= 7;
    }
    bytes[at++] = (byte) rest;
  }

  /** Zigzag: small whether positive or negative. */
  void signed(long value) {
    number((value << 1) ^ (value >> 63));
  }

  void text(String text) {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    number(encoded.length);
    room(encoded.length);
    System.arraycopy(encoded, 0, bytes, at, encoded.length);
    at += encoded.length;
  }

  void fixedShort(int value) {
    octet(value >>> 8);
    octet(value);
  }

  void fixedInt(int value) {
    fixedShort(value >>> 16);
    fixedShort(value);
  }

  void fixedLong(long value) {
    fixedInt((int) (value >>> 32));
    fixedInt((int) value);
  }

  private void room(int length) {
    if (bytes.length - at < length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, at + length));
    }
  }

  /** What was written so far, and more room after it. */
  byte[] array() {
    return bytes;
  }

  int length() {
    return at;
  }

  byte[] toByteArray() {
    return Arrays.copyOf(bytes, at);
  }
}
