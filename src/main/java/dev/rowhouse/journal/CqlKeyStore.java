package dev.rowhouse.journal;

import com.datastax.oss.driver.api.core.cql.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Wrapped keys on Cassandra. A key is added and destroyed by lightweight transactions, so that a
 * key which is being made while its tenant leaves is either destroyed or never there.
 */
final class CqlKeyStore implements KeyStore {
  private final Cassandra cassandra;

  CqlKeyStore(Cassandra cassandra) {
    this.cassandra = cassandra;
  }

  @Override
  public List<Generation> latest(Collection<String> tenants) {
    List<Generation> found = new ArrayList<>();
    for (String tenant : tenants) {
      Row row =
          cassandra.one(
              "select generation, wrapped, created_at, destroyed_at from rowhouse_data_keys"
                  + " where tenant = ? limit 1",
              tenant);
      if (row != null) {
        found.add(
            new Generation(
                tenant,
                row.getInt("generation"),
                Cassandra.bytes(row, "wrapped"),
                Objects.requireNonNullElse(row.getInstant("created_at"), Instant.EPOCH),
                row.getInstant("destroyed_at")));
      }
    }
    return found;
  }

  @Override
  public boolean add(String tenant, int generation, byte[] wrapped, Instant now) {
    KeyStore.requireFits(wrapped);
    return cassandra.decide(
        () ->
            holds(
                wrapped,
                "select wrapped from rowhouse_data_keys where tenant = ? and generation = ?",
                tenant,
                generation),
        "insert into rowhouse_data_keys (tenant, generation, wrapped, created_at)"
            + " values (?, ?, ?, ?) if not exists",
        tenant,
        generation,
        wrapped,
        now);
  }

  @Override
  public void destroy(String tenant, Instant now) {
    // At the serial level: a key whose insert is still in flight is there or never will be.
    for (Row row :
        cassandra.executeSerial(
            "select generation, wrapped from rowhouse_data_keys where tenant = ?", tenant)) {
      if (row.getByteBuffer("wrapped") == null) {
        continue;
      }
      int generation = row.getInt("generation");
      cassandra.decide(
          () -> {
            Row after =
                cassandra
                    .executeSerial(
                        "select wrapped from rowhouse_data_keys"
                            + " where tenant = ? and generation = ?",
                        tenant,
                        generation)
                    .one();
            if (after != null && after.getByteBuffer("wrapped") != null) {
              throw new JournalException("cannot destroy the data key of " + tenant, null);
            }
            return true;
          },
          "update rowhouse_data_keys set wrapped = null, destroyed_at = ?"
              + " where tenant = ? and generation = ? if wrapped != null",
          now,
          tenant,
          generation);
    }
  }

  @Override
  public boolean holdsKeys() {
    for (Row row : cassandra.execute("select wrapped from rowhouse_data_keys")) {
      if (row.getByteBuffer("wrapped") != null) {
        return true;
      }
    }
    return false;
  }

  @Override
  public byte @Nullable [] house(String name) {
    Row row = cassandra.one("select wrapped from rowhouse_house_keys where name = ?", name);
    return row == null ? null : Cassandra.bytes(row, "wrapped");
  }

  @Override
  public boolean addHouse(String name, byte[] wrapped, Instant now) {
    return cassandra.decide(
        () -> holds(wrapped, "select wrapped from rowhouse_house_keys where name = ?", name),
        "insert into rowhouse_house_keys (name, wrapped, created_at) values (?, ?, ?)"
            + " if not exists",
        name,
        wrapped,
        now);
  }

  private boolean holds(byte[] wrapped, String cql, Object... values) {
    Row row = cassandra.executeSerial(cql, values).one();
    return row != null && Arrays.equals(wrapped, Cassandra.bytes(row, "wrapped"));
  }
}
