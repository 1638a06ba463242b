package dev.rowhouse.audit;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The hash chain, and its check. An entry's hash is the SHA-256 of the hash before it and of its
 * canonical bytes: every field in order, numbers as eight bytes, texts as their length and UTF-8,
 * details by name. So no two entries have the same bytes, and no field can lend to its neighbour.
 *
 * <p>A check is fed with all entries in order, from the base on, and with what others know of the
 * chain (heads). It reads nothing itself.
 */
public final class AuditChain {
  private static final byte FORM = 1;

  /** The most faults of one check: one is enough to act. */
  static final int FAULTS_MAX = 100;

  /** What is wrong. */
  public enum Kind {
    /** An entry is not what was written, or one was put in. */
    ALTERED,
    /** An entry is gone, and later ones are there. */
    MISSING,
    /** The end is gone. */
    CUT
  }

  /**
   * A fault.
   *
   * @param sequence of the first entry concerned
   */
  public record Fault(Kind kind, long sequence, String expected, String found, String remedy) {}

  private final Map<Long, Known> known = new TreeMap<>();
  private final List<Fault> faults = new ArrayList<>();
  private AuditHead last;
  private long entries;

  private record Known(String hash, String by) {}

  AuditChain(AuditHead base) {
    this.last = base;
  }

  /** What somebody outside the table knows of the chain. */
  void expect(AuditHead head, String by) {
    if (head.sequence() > last.sequence()) {
      known.put(head.sequence(), new Known(head.hash(), by));
    }
  }

  /** The next entry; absent numbers are a fault. */
  void next(AuditEntry entry) {
    entries++;
    if (entry.sequence() != last.sequence() + 1) {
      fault(
          Kind.MISSING,
          last.sequence() + 1,
          "an entry with the number " + (last.sequence() + 1),
          "the next one is number " + entry.sequence());
    } else {
      String right = hash(last.hash(), entry);
      if (!right.equals(entry.hash())) {
        fault(
            Kind.ALTERED,
            entry.sequence(),
            "hash " + entry.hash() + " as written",
            "its content, after entry " + last.sequence() + ", has the hash " + right);
      }
    }
    Known other = known.remove(entry.sequence());
    if (other != null && !other.hash().equals(entry.hash())) {
      fault(
          Kind.ALTERED,
          entry.sequence(),
          "hash " + other.hash() + ", which " + other.by() + " knows",
          "hash " + entry.hash());
    }
    last = entry.head();
  }

  /** What was found; call it once, when all entries were fed. */
  List<Fault> end() {
    known.forEach(
        (sequence, other) -> {
          if (sequence > last.sequence()) {
            fault(
                Kind.CUT,
                last.sequence() + 1,
                "entries up to " + sequence + ", which " + other.by() + " knows",
                "the log ends with entry " + last.sequence());
          }
        });
    return List.copyOf(faults);
  }

  AuditHead last() {
    return last;
  }

  long entries() {
    return entries;
  }

  private void fault(Kind kind, long sequence, String expected, String found) {
    if (faults.size() < FAULTS_MAX) {
      faults.add(new Fault(kind, sequence, expected, found, remedy(sequence)));
    }
  }

  private static String remedy(long sequence) {
    return "Stop the nodes, keep a copy of the database as evidence, and restore entry "
        + sequence
        + " and those after it from the newest backup in which this check succeeds; who can write"
        + " to the database can do this, so look for whoever did.";
  }

  /** The hash of an entry after that one; the entry's own hash has no part in it. */
  static String hash(String before, AuditEntry entry) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(FORM);
      text(out, before);
      out.writeLong(entry.sequence());
      out.writeLong(entry.timeMillis());
      text(out, entry.kind().name());
      text(out, entry.requestId());
      text(out, entry.actor());
      text(out, entry.remote());
      text(out, entry.action());
      text(out, entry.target());
      out.writeInt(entry.detail().size());
      for (Map.Entry<String, String> detail : new TreeMap<>(entry.detail()).entrySet()) {
        text(out, detail.getKey());
        text(out, detail.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return digest(bytes.toByteArray());
  }

  private static void text(DataOutputStream out, String text) throws IOException {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(encoded.length);
    out.write(encoded);
  }

  /** SHA-256 in hex. */
  public static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** Reads a head from the text of {@link #text(AuditHead)}; absent when it is none. */
  static @Nullable AuditHead head(String text) {
    String[] parts = text.strip().split(" ", -1);
    return parts.length == 2 && parts[0].matches("[0-9]{1,18}") && parts[1].matches("[0-9a-f]{64}")
        ? new AuditHead(Long.parseLong(parts[0]), parts[1])
        : null;
  }

  static String text(AuditHead head) {
    return head.sequence() + " " + head.hash();
  }
}
