/**
 * What only several processes can prove: clusters of real nodes, from the distribution, on which
 * nemeses are let loose under load, and a checker that reads the history afterwards.
 *
 * <p>Read {@link dev.rowhouse.cluster.NemesisIT} first, then {@link
 * dev.rowhouse.cluster.HistoryChecker}. Each node has a network namespace of its own where that is
 * allowed ({@link dev.rowhouse.cluster.Namespaces}); elsewhere they are on the loopback address,
 * and the tests that need to cut a wire are skipped.
 */
@NullMarked
package dev.rowhouse.cluster;

import org.jspecify.annotations.NullMarked;
