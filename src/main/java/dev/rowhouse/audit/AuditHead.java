package dev.rowhouse.audit;

/** The end of the chain at some moment. */
public record AuditHead(long sequence, String hash) {
  /** Before the first entry. */
  static final AuditHead GENESIS = new AuditHead(0, "0".repeat(64));

  private static final int PREFIX_DIGITS = 12;
  private static final int HEX = 16;

  /** The first 48 bits of the hash, which a metric can hold exactly. */
  public long prefix() {
    return Long.parseLong(hash.substring(0, PREFIX_DIGITS), HEX);
  }
}
