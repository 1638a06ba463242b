package dev.rowhouse.tenant;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The rows of the {@link TenantDirectory} and the offset beside them. Calls block. */
sealed interface DirectoryTable permits SqlDirectoryTable, CqlDirectoryTable {
  /** The directory's row in the table of offsets. */
  String OFFSET_NAME = "tenants";

  static DirectoryTable open(Storage storage, String defaultPlan) {
    return switch (storage) {
      case Database database -> new SqlDirectoryTable(database, defaultPlan);
      case Cassandra cassandra -> new CqlDirectoryTable(cassandra, defaultPlan);
    };
  }

  /**
   * What an event makes of its tenant's row.
   *
   * @param sealedName the display name as it is stored, of events that bring one
   */
  record Change(TenantEvent event, long sequenceNumber, @Nullable String sealedName) {}

  /** Makes the tables on SQL where they are missing. */
  void createSchema();

  /** Rows by id, one more than the page has when others follow; names as they are stored. */
  List<TenantDirectory.Row> read(TenantDirectory.Query query);

  boolean contains(String tenant);

  /** How many display names of that tenant are stored. */
  long countNames(String tenant);

  void eraseName(String tenant);

  /** How far the journal was read; empty: not at all. */
  String offset();

  /** Writes those changes and moves the offset; fails when another has moved it. */
  void write(String from, String until, List<Change> changes);
}
