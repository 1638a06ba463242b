package dev.rowhouse.audit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The log in the database: its entries, the base after which they begin, and the newest anchor of
 * each segment of a ledger. Calls block.
 */
sealed interface AuditTable permits SqlAuditTable, CqlAuditTable {
  /** The name under which writers of the log claim numbers at the Fence. */
  String FENCE_NAME = "audit";

  /** Opens the log, and makes its tables on SQL where they are missing. */
  static AuditTable open(Storage storage) {
    return switch (storage) {
      case Database database -> SqlAuditTable.open(database);
      case Cassandra cassandra -> new CqlAuditTable(cassandra);
    };
  }

  /** Another writer has claimed the log since. */
  final class FencedOff extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FencedOff(long number) {
      super("another writer of the log has claimed a number after " + number);
    }
  }

  /** The end of the log. */
  AuditHead last();

  /** What stood before the first entry that is kept. */
  AuditHead base();

  /**
   * Writes those entries if that number is still the latest. When it fails, the first ones may
   * stand in the log.
   */
  void write(long number, List<AuditEntry> entries);

  /** The end of the log before that time; absent when nothing is that old. */
  @Nullable AuditHead lastBefore(long timeMillis);

  /** Forgets the entries up to a base of which an entry tells already. */
  void prune(long number, AuditHead base);

  /** Entries by number, at most so many. */
  List<AuditEntry> read(AuditQuery query);

  /** The newest anchors of the segments that come after one, at most so many, in order. */
  Map<String, AuditHead> anchors(String after, int limit);

  /** The newest anchors of those segments. */
  Map<String, AuditHead> anchorsOf(Set<String> persistenceIds);

  /** How a detail is written. */
  final class Text {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final TypeReference<TreeMap<String, String>> DETAIL = new TypeReference<>() {};

    private Text() {}
  }

  /** A kind that was altered reads as another one: the hash then tells. */
  static AuditDraft.Kind kind(String name) {
    for (AuditDraft.Kind kind : AuditDraft.Kind.values()) {
      if (kind.name().equals(name)) {
        return kind;
      }
    }
    return AuditDraft.Kind.ALARM;
  }

  static String json(Map<String, String> detail) {
    try {
      return Text.JSON.writeValueAsString(new TreeMap<>(detail));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("texts are always writable", e);
    }
  }

  /** A detail that was altered beyond reading stands as what it is: the hash then tells. */
  static Map<String, String> detail(String text) {
    try {
      return Text.JSON.readValue(text, Text.DETAIL);
    } catch (JsonProcessingException e) {
      return Map.of("unreadable", text);
    }
  }
}
