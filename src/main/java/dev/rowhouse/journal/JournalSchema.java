package dev.rowhouse.journal;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Arrays;

/**
 * The tables of the event journal and the snapshots, as pekko-persistence-jdbc expects them.
 *
 * <p>The plugin ships a script too; it cannot run twice (its index has no "if not exists"), and a
 * node that died between two statements could never start again. Ours can.
 */
public final class JournalSchema {
  private JournalSchema() {}

  /**
   * Whether text is in the order of its bytes, as ranges of names and pages of lists need it: signs
   * before letters, capital letters first. Some databases take a language's order instead.
   */
  private static final String IS_IN_ORDER =
      "select case when 'B' < 'a' and 'a-c' < 'ab' and 'az' < 'a|' then 1 else 0 end";

  /** Makes what is not there yet. */
  public static void create(Database database) {
    String product =
        Sql.apart(
            database,
            "cannot make the tables of the journal",
            sql -> {
              requireOrder(sql);
              return sql.product();
            });
    Sql.make(
        database,
        "the tables of the journal",
        Arrays.stream(script(product).split(";", -1)).filter(sql -> !sql.isBlank()).toList());
  }

  private static void requireOrder(Sql sql) throws SQLException {
    if (sql.number(IS_IN_ORDER) != 1) {
      throw new JournalException(
          "it does not compare text by its bytes. Make the database with locale C: create"
              + " database rowhouse encoding 'UTF8' locale 'C' template template0",
          null);
    }
  }

  private static String script(String product) {
    String name = "/journal/" + product + ".sql";
    try (InputStream in = JournalSchema.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new JournalException("there is no journal schema for the database " + product, null);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
