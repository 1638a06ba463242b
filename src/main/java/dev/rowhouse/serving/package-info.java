/**
 * One request from admission to settlement.
 *
 * <p>{@link dev.rowhouse.serving.TenantEntity} is the tenant's sharded actor. Nothing on its way of
 * admission waits for a disk: meters, the queue of waiting requests, held slots and a copy of the
 * tenant's profile are in memory; what must be durable is the business of its two event-sourced
 * children, the tenant's record and the usage ledger. {@link dev.rowhouse.serving.Answering} is the
 * gateway's side of one request: it owns the request until its one final answer, and releases the
 * end of that answer when the usage is durable.
 *
 * <p>A tenant beyond its limits is refused before any of this: the gateway's {@link
 * dev.rowhouse.serving.Throttle} repeats what the tenant's actor has just said, until the reset.
 *
 * <p>A request that carries an {@code Idempotency-Key} is answered once, however often it comes:
 * {@link dev.rowhouse.serving.Idempotency}.
 *
 * <p>A new incarnation of a tenant's actor learns from a {@link dev.rowhouse.serving.Census} what
 * runs and waits before it admits anything new.
 *
 * <p>The rules are pure: {@link dev.rowhouse.serving.Desk} decides admissions with values and a
 * time in and a decision out; {@link dev.rowhouse.serving.Meter} counts for it, for the tenant and
 * for each key.
 *
 * <p>Promises: concurrency is never overshot; token limits are overshot at most by what requests in
 * flight spend beyond their estimate; every attempt is settled once; a refusal names the limit, its
 * value, what was used and when to come back.
 *
 * <p>Read first: Desk, then TenantEntity, then Answering.
 */
@NullMarked
package dev.rowhouse.serving;

import org.jspecify.annotations.NullMarked;
