package dev.rowhouse.reporting;

import dev.rowhouse.journal.PostgresqlProcess;
import java.nio.file.Path;

final class PostgresqlUsageErasureIT extends UsageErasureContract {
  @Override
  Office openOffice(Path directory) {
    return Office.open(directory, PostgresqlProcess.config());
  }
}
