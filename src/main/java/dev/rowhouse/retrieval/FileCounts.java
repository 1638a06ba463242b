package dev.rowhouse.retrieval;

/** How many files of a store or batch are in each status. */
public record FileCounts(int inProgress, int completed, int failed, int cancelled) {
  public static final FileCounts NONE = new FileCounts(0, 0, 0, 0);

  public int total() {
    return inProgress + completed + failed + cancelled;
  }

  FileCounts plus(FileStatus status, int files) {
    return switch (status) {
      case IN_PROGRESS -> new FileCounts(inProgress + files, completed, failed, cancelled);
      case COMPLETED -> new FileCounts(inProgress, completed + files, failed, cancelled);
      case FAILED -> new FileCounts(inProgress, completed, failed + files, cancelled);
      case CANCELLED -> new FileCounts(inProgress, completed, failed, cancelled + files);
    };
  }
}
