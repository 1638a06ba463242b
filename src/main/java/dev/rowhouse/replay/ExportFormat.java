package dev.rowhouse.replay;

/** In which form records leave the house. */
public enum ExportFormat {
  /** CloudEvents 1.0 in JSON, one event a line. */
  CLOUDEVENTS("application/x-ndjson"),
  /** RFC 4180, with a header line. */
  CSV("text/csv; charset=UTF-8");

  private final String mediaType;

  ExportFormat(String mediaType) {
    this.mediaType = mediaType;
  }

  public String mediaType() {
    return mediaType;
  }
}
