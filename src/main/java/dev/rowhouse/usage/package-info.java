/**
 * What happened: how many tokens each attempt of a tenant spent, once and durably.
 *
 * <p>A tenant's ledger is the union of its segments by attempt id. {@link
 * dev.rowhouse.usage.UsageLedger} is a plain actor, a child of the tenant's entity. When it starts
 * it reads: the newest snapshot that any segment has, then each segment from where that snapshot
 * had read it. When it first has something to write it claims a number from the {@link
 * dev.rowhouse.journal.Fence} and opens a segment of its own, {@code usage|<tenant>|<number>}, to
 * which nobody else ever writes; so two incarnations that live at once cannot damage each other's
 * journal, and what the older one wrote late is folded in when it is found. When a write fails the
 * ledger does not know whether it landed: it reads all again and opens a new segment.
 *
 * <p>Promises:
 *
 * <ul>
 *   <li>An append is acknowledged after it is on disk, and may be sent again with any overlap.
 *   <li>An attempt counts once. Where two segments tell of it differently, the better known figure
 *       counts: anything before "unknown", measured before estimated, else the earlier position.
 *       The choice does not depend on the order of reading, so a rebuild gives the same totals.
 *   <li>Recent attempts are known in memory. An older one is looked up in the journal; it is never
 *       blindly added or dropped.
 *   <li>A start that nobody settles becomes a record of status {@code unknown} when the longest run
 *       has passed; a later real record takes its place.
 *   <li>A snapshot is only a shortcut: without any, the ledger is rebuilt from the events.
 *   <li>Every event is a link of its segment's hash chain, and an opening names the heads of the
 *       segments that none named before; {@link dev.rowhouse.usage.LedgerVerifier} finds what was
 *       changed, deleted or cut. Events of the first two forms are not chained.
 *   <li>A row that cannot be read stops its own tenant only, and is named with what to do.
 * </ul>
 *
 * <p>Limits: a row that lands late in an old segment is seen by the running ledger at its next
 * reconciliation, and a reader that had paged past its position does not meet it. Segments are
 * never rewritten or merged: their events are the proof of each bill, a chain and cursors name
 * them, and projections have their persistence ids. What a start reads is bounded instead: one
 * snapshot, and the segments of the last {@code late-writes-max}; an opening names only what none
 * named before. Still growing with the number of segments are two numbers of each in a snapshot and
 * a row of each in the list of the Fence.
 *
 * <p>Read first: {@link dev.rowhouse.usage.UsageRecord}, then LedgerState (pure: all the rules),
 * then UsageLedger with its hands: LedgerLoader, OpenSegment and Segment, LedgerLookup,
 * SegmentReader. The form on disk: RecordPayload and ChainLink.
 */
@NullMarked
package dev.rowhouse.usage;

import org.jspecify.annotations.NullMarked;
