package dev.rowhouse;

/**
 * Why a node cannot start, in one line for the person who started it, with the exit code of the
 * process. Never a bug: a bug keeps its stack trace.
 */
final class StartFailure extends RuntimeException {
  /** The command line is wrong. */
  static final int USAGE = 2;

  /** The configuration is wrong. */
  static final int CONFIG = 3;

  /** The data directory cannot be used, or another node has it. */
  static final int DATA_DIRECTORY = 4;

  /** An address cannot be listened on. */
  static final int ADDRESS = 5;

  /** The database cannot be opened. */
  static final int JOURNAL = 6;

  /** The cluster cannot be joined in time. */
  static final int CLUSTER = 7;

  /** The master key is missing, or is another one than what is stored was wrapped with. */
  static final int MASTER_KEY = 8;

  private final int exitCode;

  StartFailure(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  int exitCode() {
    return exitCode;
  }
}
