/**
 * Whose turn it is: capacity slots, the numbered tickets that workers mint for them, and the
 * coordinator that hands slots to tenants in proportion to their weights.
 *
 * <p>Three parties. A worker owns slots and is the only one that mints tickets ({@link
 * dev.rowhouse.fairness.WorkerSlots}). A tenant uses tickets ({@link
 * dev.rowhouse.fairness.SlotUser}) and tells the coordinator how much it wants. The coordinator
 * ({@link dev.rowhouse.fairness.FairnessCoordinator}) tells workers whom to give a slot; nothing
 * else depends on what it says.
 *
 * <pre>
 *   tenant  -- Demand -->  coordinator  -- Grant, Recall, Reclaim -->  worker
 *   worker  -- WorkerTable -->  coordinator
 *   worker  -- Held, Withdrawn -->  tenant;    tenant -- Return -->  worker
 *   coordinator  -- Outlook -->  tenant        (advice only: how fast the pool serves it)
 * </pre>
 *
 * <p>A grant is to keep while nobody waits: after each run the worker mints the next ticket
 * straight to its holder, so the coordinator is not on the way of a request, and its absence is not
 * felt. When somebody waits, slots are recalled, and change hands after each run by the counters of
 * the fair queue.
 *
 * <p>What runs have spent rides in the rows of the workers' tables: of an open run so far, of the
 * holder's tenure and of the one before. A slot changes hands only by a grant of a coordinator that
 * saw it free, and with it what was spent, so cost needs no acknowledgement and the coordinator's
 * state is a row per slot and a few numbers per tenant. A few slots are kept for small requests, so
 * that long ones never hold them all.
 *
 * <p>Promises: at most one run per slot; each ticket is accepted at most once; no slot stays free
 * beside a demand that may have it; a tenant that waits is served in proportion to its weight,
 * however many requests the others send. The first two hold whatever messages are lost, doubled or
 * late and however many coordinators exist, because the worker alone decides. State travels whole
 * and again each second, so a lost message costs time and never a fact.
 *
 * <p>Read first: FairQueue (the policy), SlotTable (the safety), then PoolState, which joins them.
 */
@NullMarked
package dev.rowhouse.fairness;

import org.jspecify.annotations.NullMarked;
