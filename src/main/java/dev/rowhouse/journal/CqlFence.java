package dev.rowhouse.journal;

import com.datastax.oss.driver.api.core.cql.Row;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * The Fence on Cassandra.
 *
 * <p>A claim is a lightweight transaction on the partition of its name: insert the next number if
 * it is not there. Each try carries an id of its own, so that a try without an answer can be found
 * again. A claim is committed at a quorum before its owner hears of it, so that a plain quorum read
 * is enough for {@link #latest}.
 *
 * <p>Cassandra keeps partitions in the order of their hashes, so the names are in a table of their
 * own, in a fixed number of partitions. A name is written there before its first claim; one whose
 * claim then failed is there without a number.
 */
final class CqlFence implements Fence {
  /** Each lost race means that somebody else won it; so many in a row are no race but a fault. */
  private static final int CLAIM_TRIES_MAX = 256;

  /** A million tenants are some 60,000 names in each; a list of names is one read of each. */
  private static final int BUCKETS = 16;

  private final Cassandra cassandra;
  private final InstantSource clock;

  CqlFence(Cassandra cassandra, InstantSource clock) {
    this.cassandra = cassandra;
    this.clock = clock;
  }

  @Override
  public long claim(String name, String who) {
    if (name.length() > NAME_LENGTH_MAX) {
      throw new JournalException("a name of " + name.length() + " characters", null);
    }
    try {
      for (int tries = 0; tries < CLAIM_TRIES_MAX; tries++) {
        long next = latest(name) + 1;
        if (next == 1) {
          cassandra.execute(
              "insert into rowhouse_fence_names (bucket, name) values (?, ?)", bucket(name), name);
        }
        if (insert(name, next, who)) {
          return next;
        }
      }
    } catch (JournalException e) {
      throw new JournalException("cannot claim a number of " + name, e);
    }
    throw new JournalException(
        "no number of " + name + " could be claimed in " + CLAIM_TRIES_MAX + " tries", null);
  }

  private boolean insert(String name, long number, String who) {
    UUID claim = UUID.randomUUID();
    return cassandra.decide(
        () -> {
          Row row =
              cassandra
                  .executeSerial(
                      "select claim from rowhouse_fence where name = ? and number = ?",
                      name,
                      number)
                  .one();
          return row != null && claim.equals(row.getUuid("claim"));
        },
        "insert into rowhouse_fence (name, number, claim, claimed_at, claimed_by)"
            + " values (?, ?, ?, ?, ?) if not exists",
        name,
        number,
        claim,
        clock.instant(),
        Fence.cut(who));
  }

  @Override
  public long latest(String name) {
    try {
      Row row = cassandra.one("select number from rowhouse_fence where name = ? limit 1", name);
      return row == null ? 0 : row.getLong("number");
    } catch (JournalException e) {
      throw new JournalException("cannot read the latest number of " + name, e);
    }
  }

  @Override
  public List<Claim> claims(String name) {
    List<Claim> claims = new ArrayList<>();
    try {
      for (Row row :
          cassandra.all(
              "select number, claimed_at, claimed_by from rowhouse_fence where name = ?"
                  + " order by number asc",
              name)) {
        Instant at = Objects.requireNonNullElse(row.getInstant("claimed_at"), Instant.EPOCH);
        claims.add(
            new Claim(row.getLong("number"), at, String.valueOf(row.getString("claimed_by"))));
      }
    } catch (JournalException e) {
      throw new JournalException("cannot read the claims of " + name, e);
    }
    return List.copyOf(claims);
  }

  @Override
  public List<String> names(String prefix, String after, int limit) {
    List<String> names = new ArrayList<>();
    try {
      for (int bucket = 0; bucket < BUCKETS; bucket++) {
        for (Row row :
            cassandra.all(
                "select name from rowhouse_fence_names where bucket = ? and name > ? and name < ?"
                    + " limit ?",
                bucket,
                after,
                Fence.behind(prefix),
                limit)) {
          names.add(String.valueOf(row.getString("name")));
        }
      }
    } catch (JournalException e) {
      throw new JournalException("cannot read the names that begin with " + prefix, e);
    }
    return names.stream().sorted().limit(limit).toList();
  }

  @Override
  public long countNames(String prefix) {
    long count = 0;
    try {
      for (int bucket = 0; bucket < BUCKETS; bucket++) {
        Row row =
            cassandra.one(
                "select count(*) from rowhouse_fence_names"
                    + " where bucket = ? and name > ? and name < ?",
                bucket,
                prefix,
                Fence.behind(prefix));
        count += row == null ? 0 : row.getLong(0);
      }
    } catch (JournalException e) {
      throw new JournalException("cannot count the names that begin with " + prefix, e);
    }
    return count;
  }

  private static int bucket(String name) {
    return Math.floorMod(name.hashCode(), BUCKETS);
  }
}
