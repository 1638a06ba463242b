package dev.rowhouse.journal;

import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.InstantSource;
import java.util.List;

/** The Fence in an SQL database: the unique key of its table makes a claim exclusive. */
final class SqlFence implements Fence {
  /** Each lost race means that somebody else won it; so many in a row are no race but a fault. */
  static final int CLAIM_TRIES_MAX = 64;

  private final Database database;
  private final InstantSource clock;

  private SqlFence(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Opens the Fence, and makes its table where there is none. */
  static SqlFence open(Database database, InstantSource clock) {
    Sql.make(
        database,
        "the table of the Fence",
        """
        create table if not exists rowhouse_fence (
          name varchar(%d) not null,
          number bigint not null,
          claimed_at timestamp with time zone not null,
          claimed_by varchar(%d) not null,
          primary key (name, number))
        """
            .formatted(NAME_LENGTH_MAX, CLAIMED_BY_LENGTH_MAX));
    return new SqlFence(database, clock);
  }

  @Override
  public long claim(String name, String who) {
    return Sql.apart(
        database,
        "cannot claim a number of " + name,
        sql -> {
          for (int tries = 0; tries < CLAIM_TRIES_MAX; tries++) {
            long next = latest(sql, name) + 1;
            if (sql.insert(
                "insert into rowhouse_fence (name, number, claimed_at, claimed_by)"
                    + " values (?, ?, ?, ?)",
                name,
                next,
                Timestamp.from(clock.instant()),
                Fence.cut(who))) {
              return next;
            }
          }
          throw new JournalException(
              "no number of " + name + " could be claimed in " + CLAIM_TRIES_MAX + " tries", null);
        });
  }

  @Override
  public long latest(String name) {
    return Sql.apart(
        database, "cannot read the latest number of " + name, sql -> latest(sql, name));
  }

  private static long latest(Sql sql, String name) throws SQLException {
    return sql.number("select max(number) from rowhouse_fence where name = ?", name);
  }

  @Override
  public List<Claim> claims(String name) {
    return Sql.apart(
        database,
        "cannot read the claims of " + name,
        sql ->
            sql.query(
                "select number, claimed_at, claimed_by from rowhouse_fence"
                    + " where name = ? order by number",
                row -> new Claim(row.getLong(1), row.getTimestamp(2).toInstant(), row.getString(3)),
                name));
  }

  @Override
  public List<String> names(String prefix, String after, int limit) {
    return Sql.apart(
        database,
        "cannot read the names that begin with " + prefix,
        sql ->
            sql.query(
                "select distinct name from rowhouse_fence where name > ? and name < ?"
                    + " order by name fetch first "
                    + limit
                    + " rows only",
                row -> row.getString(1),
                after,
                Fence.behind(prefix)));
  }

  @Override
  public long countNames(String prefix) {
    return Sql.apart(
        database,
        "cannot count the names that begin with " + prefix,
        sql ->
            sql.number(
                "select count(distinct name) from rowhouse_fence where name > ? and name < ?",
                prefix,
                Fence.behind(prefix)));
  }
}
