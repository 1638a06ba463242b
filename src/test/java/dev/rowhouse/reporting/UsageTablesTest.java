package dev.rowhouse.reporting;

import java.nio.file.Path;

final class UsageTablesTest extends UsageTablesContract {
  @Override
  Office openOffice(Path directory) {
    return Office.open(directory);
  }
}
