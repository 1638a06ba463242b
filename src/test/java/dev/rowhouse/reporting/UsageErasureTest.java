package dev.rowhouse.reporting;

import java.nio.file.Path;

final class UsageErasureTest extends UsageErasureContract {
  @Override
  Office openOffice(Path directory) {
    return Office.open(directory);
  }
}
