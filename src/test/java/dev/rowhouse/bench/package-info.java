/**
 * The benchmarks of docs/benchmarks.md. They are commands, not tests: each prints its figures and
 * writes them to target/reports/, and nothing fails because a machine is slow.
 */
@NullMarked
package dev.rowhouse.bench;

import org.jspecify.annotations.NullMarked;
