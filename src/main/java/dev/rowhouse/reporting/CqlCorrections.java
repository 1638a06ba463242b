package dev.rowhouse.reporting;

import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.uuid.Uuids;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.usage.Position;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The corrections of a tenant on Cassandra: written whole as a new version, which one lightweight
 * transaction makes the valid one. Who rebuilds names the version that was valid when it began, so
 * of two that rebuild a tenant the one that read first does not undo the other.
 */
final class CqlCorrections {
  /** Each rebuild of the tenant that is read costs a reader one more turn. */
  private static final int READS_MAX = 10;

  private final Cassandra cassandra;

  /** What is taken off, and by what it is grouped. */
  record Correction(Group group, Sums sums) {}

  CqlCorrections(Cassandra cassandra) {
    this.cassandra = cassandra;
  }

  @Nullable UUID version(String tenant) {
    Row row =
        cassandra.one("select version from rowhouse_usage_corrected where tenant = ?", tenant);
    return row == null ? null : row.getUuid(0);
  }

  void each(String tenant, BiConsumer<Group, Sums> consumer) {
    all(tenant).values().forEach(it -> consumer.accept(it.group(), it.sums()));
  }

  Map<Position, Correction> all(String tenant) {
    for (int reads = 0; reads < READS_MAX; reads++) {
      UUID version = version(tenant);
      Map<Position, Correction> found = new LinkedHashMap<>();
      if (version == null) {
        return found;
      }
      for (Row row :
          cassandra.execute(
              "select segment, sequence_number, part, "
                  + CqlHours.GROUP
                  + ", "
                  + Sums.COLUMNS
                  + " from rowhouse_usage_corrections where tenant = ? and version = ?",
              tenant,
              version)) {
        found.put(
            new Position(row.getLong(0), row.getLong(1), row.getInt(2)),
            new Correction(CqlHours.group(row), CqlHours.sums(row)));
      }
      if (version.equals(version(tenant))) {
        return found;
      }
    }
    throw new JournalException(
        "the corrections of " + tenant + " changed each time that they were read", null);
  }

  /** Puts those in place of the version that was valid; fails when another one is. */
  void replace(
      String tenant, @Nullable UUID before, Map<Position, Correction> all, CqlFolding folding) {
    if (before == null && all.isEmpty()) {
      return;
    }
    UUID after = Uuids.timeBased();
    List<BoundStatement> inserts =
        all.entrySet().stream()
            .map(it -> insert(tenant, after, it.getKey(), it.getValue()))
            .toList();
    folding.together(inserts);
    boolean isOurs =
        cassandra.decide(
            () ->
                Objects.equals(
                    after,
                    cassandra
                        .executeSerial(
                            "select version from rowhouse_usage_corrected where tenant = ?", tenant)
                        .all()
                        .stream()
                        .findFirst()
                        .map(row -> row.getUuid(0))
                        .orElse(null)),
            "update rowhouse_usage_corrected set version = ? where tenant = ? if version = ?",
            after,
            tenant,
            before);
    UUID over = isOurs ? before : after;
    if (over != null) {
      cassandra.execute(
          "delete from rowhouse_usage_corrections where tenant = ? and version = ?", tenant, over);
    }
    if (!isOurs) {
      throw new JournalException("the usage of " + tenant + " was rebuilt by another", null);
    }
  }

  private BoundStatement insert(String tenant, UUID version, Position at, Correction correction) {
    Group group = correction.group();
    Sums sums = correction.sums();
    return cassandra.bind(
        "insert into rowhouse_usage_corrections (tenant, version, segment, sequence_number, part, "
            + CqlHours.GROUP
            + ", "
            + Sums.COLUMNS
            + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tenant,
        version,
        at.segment(),
        at.sequence(),
        at.index(),
        group.hour(),
        group.model(),
        group.answeredBy(),
        group.keyId(),
        sums.completed(),
        sums.cancelled(),
        sums.failed(),
        sums.unknown(),
        sums.inputTokens(),
        sums.outputTokens(),
        sums.costMicros());
  }
}
