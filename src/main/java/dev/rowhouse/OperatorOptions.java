package dev.rowhouse;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the node is, and by what it knows its operator. */
final class OperatorOptions {
  @Option(
      names = "--url",
      paramLabel = "URL",
      defaultValue = "${env:ROWHOUSE_OPERATOR_URL:-" + OperatorPlaneClient.URL_DEFAULT + "}",
      description =
          "The operator plane of a running node; else ROWHOUSE_OPERATOR_URL. Now: ${DEFAULT-VALUE}")
  private String url = OperatorPlaneClient.URL_DEFAULT;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description =
          "A node's data directory: its operator token is read there when ROWHOUSE_OPERATOR_TOKEN"
              + " is not set. Default: ROWHOUSE_DATA_DIR, or that of conf/.")
  private @Nullable Path dataDirectory;

  @Option(names = "--json", description = "Print results as JSON, one object a line.")
  private boolean json;

  String url() {
    return url;
  }

  Path dataDirectory() {
    Path given = dataDirectory;
    return (given == null ? Preflight.dataDirectory() : given).toAbsolutePath().normalize();
  }

  boolean json() {
    return json;
  }

  /** The node at that address. */
  OperatorPlaneClient client(String whenAway) {
    return new OperatorPlaneClient(url, dataDirectory(), whenAway);
  }
}
