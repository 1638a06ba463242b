package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class PostgresqlFenceIT extends FenceContract {
  private final Database database = PostgresqlProcess.open();

  @Override
  Storage storage() {
    return database;
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void makesTheTablesOfTheJournalAsOftenAsItIsAsked() {
    JournalSchema.create(database);
    JournalSchema.create(database);
  }

  @Test
  void refusesADatabaseThatOrdersTextByALanguage() {
    try {
      PostgresqlProcess.create("by_language", "locale_provider icu icu_locale 'en-US' locale 'C'");
    } catch (SQLException e) {
      abort("this PostgreSQL has no order but C: " + e.getMessage());
    }
    try (Database other = Database.open(PostgresqlProcess.config("by_language"))) {
      JournalException refused =
          assertThrows(JournalException.class, () -> JournalSchema.create(other));
      assertTrue(String.valueOf(refused.getMessage()).contains("locale 'C'"), refused.getMessage());
    }
  }
}
