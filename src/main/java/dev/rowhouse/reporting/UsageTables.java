package dev.rowhouse.reporting;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import java.util.List;

/**
 * What is kept. The usage of a tenant is the sum of its rows, hours and corrections.
 *
 * <ul>
 *   <li>rows: the sums of one event, a row for each group in it, under the event's place.
 *   <li>hours: what rows were folded into; a segment says up to which sequence number.
 *   <li>corrections: records that must not count, taken off, under their own place.
 *   <li>segments: how far each segment of a ledger is in the tables (seen, folded, and what was
 *       folded), the least that a newer segment had read of it when it was opened (sealed), and the
 *       hash of the newest event.
 *   <li>unknowns: attempts that were given up; a later record of one puts its tenant in doubt.
 *   <li>doubts: tenants whose ledger has to be read whole before their figures are right.
 *   <li>erased: tenants that were offboarded; their key ids are kept no longer.
 *   <li>progress: the place in the journal up to which a tag was read.
 * </ul>
 */
final class UsageTables {
  /** No newer segment has been opened. */
  static final long NOT_SEALED = Long.MAX_VALUE;

  private static final String SUMS =
      """
      completed bigint not null,
      cancelled bigint not null,
      failed bigint not null,
      unknown_count bigint not null,
      input_tokens bigint not null,
      output_tokens bigint not null,
      cost_micros bigint not null\
      """;

  private static final String GROUP =
      """
      usage_hour bigint not null,
      model varchar(%1$d) not null,
      answered_by varchar(%1$d) not null,
      key_id varchar(%1$d) not null\
      """
          .formatted(Group.NAME_LENGTH_MAX);

  private static final List<String> SCHEMA =
      List.of(
          """
          create table if not exists rowhouse_usage_rows (
            tenant varchar(63) not null,
            segment bigint not null,
            sequence_number bigint not null,
            part integer not null,
            %s, %s,
            primary key (tenant, segment, sequence_number, part))
          """
              .formatted(GROUP, SUMS),
          "create index if not exists rowhouse_usage_rows_tenant"
              + " on rowhouse_usage_rows (tenant, usage_hour)",
          "create index if not exists rowhouse_usage_rows_hour on rowhouse_usage_rows (usage_hour)",
          """
          create table if not exists rowhouse_usage_hours (
            tenant varchar(63) not null,
            %s, %s,
            primary key (tenant, usage_hour, model, answered_by, key_id))
          """
              .formatted(GROUP, SUMS),
          "create index if not exists rowhouse_usage_hours_hour"
              + " on rowhouse_usage_hours (usage_hour)",
          """
          create table if not exists rowhouse_usage_corrections (
            tenant varchar(63) not null,
            segment bigint not null,
            sequence_number bigint not null,
            part integer not null,
            %s, %s,
            primary key (tenant, segment, sequence_number, part))
          """
              .formatted(GROUP, SUMS),
          """
          create table if not exists rowhouse_usage_segments (
            tenant varchar(63) not null,
            segment bigint not null,
            seen bigint not null,
            sealed bigint not null,
            folded bigint not null,
            %s,
            head varchar(64),
            anchored bigint default 0 not null,
            primary key (tenant, segment))
          """
              .formatted(SUMS),
          """
          create table if not exists rowhouse_usage_unknowns (
            tenant varchar(63) not null,
            attempt varchar(36) not null,
            time_millis bigint not null,
            primary key (tenant, attempt))
          """,
          """
          create table if not exists rowhouse_usage_doubts (
            tenant varchar(63) primary key,
            reason varchar(200) not null,
            since_millis bigint not null)
          """,
          """
          create table if not exists rowhouse_usage_erased (
            tenant varchar(63) primary key,
            since_millis bigint not null)
          """,
          """
          create table if not exists rowhouse_usage_progress (
            tag varchar(32) primary key,
            journal_offset bigint not null)
          """);

  private UsageTables() {}

  /** Makes what is not there yet. */
  static void create(Database database) {
    Sql.make(database, "the tables of usage", SCHEMA);
  }
}
