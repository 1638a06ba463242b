package dev.rowhouse.usage;

/** What to do about rows of the journal that are damaged or gone; docs/ledger.md has the steps. */
final class JournalAdvice {
  private JournalAdvice() {}

  static String of(String persistenceId) {
    return "restore the rows of "
        + persistenceId
        + " from the newest backup that has them, or set the damaged row aside"
        + " (docs/ledger.md, \"A damaged row\")";
  }
}
