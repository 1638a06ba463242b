/**
 * What the operator is shown of all tenants' usage: query tables that follow the ledgers.
 *
 * <p>The ledgers in the journal are the truth; nothing here is. {@link
 * dev.rowhouse.reporting.UsageProjection} reads their events by tag, several at a time over the
 * cluster, and writes a few rows for each: sums by hour, model asked, model answered and key. A row
 * is only ever inserted, under the place of its event, so an event that comes twice changes
 * nothing. {@link dev.rowhouse.reporting.Folding} later adds old rows up by hour, so that a query
 * of a year reads hours and not events.
 *
 * <p>An attempt may stand in two places of the journal, and only the better one counts. Rows know
 * nothing of attempts. But an attempt can only be doubled in two ways: an event landed in a segment
 * after a newer segment had been opened without it, or an attempt that was given up as unknown was
 * settled after all. Both are seen while the rows are written, and so is a gap in the sequence
 * numbers. The tenant is then in doubt: its ledger is read whole, by the ledger's own rules, and
 * what must not count is written as corrections. Until then the answer of a query says that there
 * is doubt.
 *
 * <p>A tag query can miss an event that commits late, and events written before there were tags
 * have none. So {@link dev.rowhouse.reporting.Reconciliation} goes by persistence id and never by
 * tag: it compares the ledger's totals, the sum of its records and these tables, tenant by tenant,
 * and rebuilds exactly the tenants that differ. {@link dev.rowhouse.reporting.Reconciler} does it
 * slowly all the time; operators do it when they like.
 *
 * <p>When a tenant is offboarded, {@link dev.rowhouse.reporting.UsageErasure} takes the ids of its
 * keys out and leaves the sums; what is written of it from then on, a rebuild included, has none.
 *
 * <p>{@link dev.rowhouse.reporting.UsageStore} is all that depends on where the tables lie: in an
 * SQL database, where each call is a transaction, or in Cassandra, where there is none.
 *
 * <p>Read first: UsageTables (what is kept), then RowWriter, then Reconciliation; of Cassandra
 * CqlHours.
 */
@NullMarked
package dev.rowhouse.reporting;

import org.jspecify.annotations.NullMarked;
