/**
 * The comparison of docs/fairness.md: the arena trace of VTC (Sheng et al., "Fairness in Serving
 * Large Language Models", OSDI 2024) on a simulated copy of its testbed, with the policies of its
 * artifact and with ours.
 *
 * <p>{@link dev.rowhouse.bench.arena.Engine} is the testbed: continuous batching over a bounded
 * pool of key-value cache, on a virtual clock. Who enters the batch next is an {@link
 * dev.rowhouse.bench.arena.Admission}; the real fair queue is one, by an adapter in its own room.
 * {@link dev.rowhouse.bench.arena.ServiceDifference} is the metric, {@link
 * dev.rowhouse.bench.arena.Score} all figures of one run. Nothing here reads a clock or draws a
 * random number: the same trace and policy give the same figures to the last digit.
 */
@NullMarked
package dev.rowhouse.bench.arena;

import org.jspecify.annotations.NullMarked;
