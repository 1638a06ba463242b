package dev.rowhouse.usage;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * A link of the hash chain of a segment: SHA-256 over the link before and the event, so that nobody
 * can change, drop or insert an event without changing all that follow (Haber and Stornetta 1991).
 *
 * <p>The first link is over the persistence id, so that a segment cannot pass for another tenant's,
 * and over all that its opening says, among it the chains of the older segments: a cut in one of
 * them does not fit what the next one named. The others are over the bytes of the {@link
 * RecordPayload} as the journal has them. Who can write the whole journal can also make a new
 * chain; against that a head is kept elsewhere ({@link ChainHead}).
 */
record ChainLink(String hash) {
  /** What goes before the first link, and tells the kinds of links apart. */
  private static final byte FIRST = 1;

  private static final byte NEXT = 2;

  static ChainLink first(String persistenceId, LedgerEvent.SegmentOpened opened) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(FIRST);
      text(out, persistenceId);
      out.writeLong(opened.segment());
      out.writeLong(opened.timeMillis());
      text(out, opened.owner());
      Totals totals = opened.totals();
      out.writeLong(totals.completed());
      out.writeLong(totals.cancelled());
      out.writeLong(totals.failed());
      out.writeLong(totals.unknown());
      out.writeLong(totals.inputTokens());
      out.writeLong(totals.outputTokens());
      out.writeLong(totals.costMicros());
      out.writeInt(opened.read().size());
      for (Map.Entry<Long, Long> entry : new TreeMap<>(opened.read()).entrySet()) {
        out.writeLong(entry.getKey());
        out.writeLong(entry.getValue());
      }
      out.writeInt(opened.heads().size());
      for (Map.Entry<Long, String> entry : new TreeMap<>(opened.heads()).entrySet()) {
        out.writeLong(entry.getKey());
        text(out, entry.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return of(sha256().digest(bytes.toByteArray()));
  }

  static ChainLink next(String previous, LedgerEvent.Recorded recorded) {
    MessageDigest digest = sha256();
    digest.update(NEXT);
    digest.update(previous.getBytes(StandardCharsets.US_ASCII));
    return of(digest.digest(recorded.payload()));
  }

  private static void text(DataOutputStream out, String text) throws IOException {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(encoded.length);
    out.write(encoded);
  }

  private static ChainLink of(byte[] digest) {
    return new ChainLink(HexFormat.of().formatHex(digest));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
