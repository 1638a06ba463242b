package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/** User and system time of the processes of a benchmark, in nanoseconds. */
record CpuTimes(long nodeNanos, long upstreamNanos, long clientsNanos) {

  static long nanos(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(handle -> handle.info().totalCpuDuration())
        .orElseThrow(() -> new IllegalStateException("no CPU time of process " + pid))
        .toNanos();
  }

  CpuTimes minus(CpuTimes before) {
    return new CpuTimes(
        nodeNanos - before.nodeNanos,
        upstreamNanos - before.upstreamNanos,
        clientsNanos - before.clientsNanos);
  }

  /** "node 850, upstream 120, clients 300 us/request; all 0.31 of 2 cores". */
  String perRequest(long requests, double seconds) {
    double count = Math.max(1, requests) * 1e3;
    return String.format(
        Locale.ROOT,
        "CPU: node %.0f, upstream %.0f, clients %.0f us/request; together %.2f of %d cores",
        nodeNanos / count,
        upstreamNanos / count,
        clientsNanos / count,
        (nodeNanos + upstreamNanos + clientsNanos) / 1e9 / seconds,
        Runtime.getRuntime().availableProcessors());
  }

  ObjectNode json(long requests, double seconds) {
    double count = Math.max(1, requests) * 1e3;
    return JsonNodeFactory.instance
        .objectNode()
        .put("node_us_per_request", nodeNanos / count)
        .put("upstream_us_per_request", upstreamNanos / count)
        .put("clients_us_per_request", clientsNanos / count)
        .put("cores_used", (nodeNanos + upstreamNanos + clientsNanos) / 1e9 / seconds);
  }
}
