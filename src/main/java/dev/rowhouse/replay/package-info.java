/**
 * What the journal says when it is asked again: totals computed anew and compared, other prices,
 * other shares of the same load, and the records themselves for other systems.
 *
 * <p>Everything is read from the segments of the ledgers by {@link
 * dev.rowhouse.usage.UsageJournal}, never from a projection or a ledger's own sums: these are what
 * a replay is compared with. It works on a running node and, with the node stopped, on its data
 * directory alone ({@link dev.rowhouse.replay.ReplayHouse} is what differs).
 *
 * <p>Promises:
 *
 * <ul>
 *   <li>Totals are those of the union of segments by attempt, to the token; they are compared at a
 *       moment that the ledger names by the rows it has read, so traffic does not blur them.
 *   <li>A row that cannot be read is named by tenant, segment and sequence number. The other rows
 *       and tenants are read on, and the result says that it is not whole.
 *   <li>What a replay takes is bounded: how many run, memory by the records of one what-if and the
 *       attempts remembered, processors by a dispatcher of its own.
 *   <li>Of an offboarded tenant totals come as before and nothing personal is shown.
 * </ul>
 *
 * <p>A what-if runs the recorded arrivals through the fair queue itself ({@link
 * dev.rowhouse.fairness.FairTurns}); only the engine is a model, told in ServiceModel. It always
 * runs twice, as it was and as it would be, so that what the model gets wrong is in both.
 *
 * <p>Read first: {@link dev.rowhouse.replay.ReplayRequest}, {@link dev.rowhouse.replay.Replays},
 * then TotalsReplay; for what-ifs PoolSimulation.
 */
@NullMarked
package dev.rowhouse.replay;

import org.jspecify.annotations.NullMarked;
