package dev.rowhouse.reporting;

import dev.rowhouse.journal.PostgresqlProcess;
import java.nio.file.Path;

final class PostgresqlUsageTablesIT extends UsageTablesContract {
  @Override
  Office openOffice(Path directory) {
    return Office.open(directory, PostgresqlProcess.config());
  }
}
