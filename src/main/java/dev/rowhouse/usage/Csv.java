package dev.rowhouse.usage;

/** One field of a CSV line (RFC 4180), safe to open in a spreadsheet. */
public final class Csv {
  private Csv() {}

  /** Quoted where needed; what a spreadsheet would take for a formula gets a leading quote mark. */
  public static String field(String value) {
    String safe =
        !value.isEmpty() && "=+-@\t\r".indexOf(value.charAt(0)) >= 0 && !isNumber(value)
            ? "'" + value
            : value;
    boolean quote =
        safe.indexOf(',') >= 0
            || safe.indexOf('"') >= 0
            || safe.indexOf('\n') >= 0
            || safe.indexOf('\r') >= 0;
    return quote ? '"' + safe.replace("\"", "\"\"") + '"' : safe;
  }

  private static boolean isNumber(String value) {
    return value.matches("-?[0-9]+(\\.[0-9]+)?([eE]-?[0-9]+)?");
  }
}
