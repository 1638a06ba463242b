package dev.rowhouse.bench;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A closed loop over keep-alive connections: each sends a request, reads the answer, sends the
 * next. Raw sockets, because the generator shares the machine with what it measures.
 */
final class LoadGenerator {
  /** Bounds a run whatever the clock does. */
  private static final int REQUESTS_PER_CONNECTION_MAX = 2_000_000;

  private static final int READ_TIMEOUT_MILLIS = 20_000;

  private final int port;
  private final byte[] request;

  LoadGenerator(int port, String path, String credential, String body) {
    this.port = port;
    byte[] content = body.getBytes(StandardCharsets.UTF_8);
    this.request =
        """
        POST %s HTTP/1.1\r
        Host: 127.0.0.1:%d\r
        Authorization: Bearer %s\r
        Content-Type: application/json\r
        Content-Length: %d\r
        \r
        %s\
        """
            .formatted(path, port, credential, content.length, body)
            .getBytes(StandardCharsets.UTF_8);
  }

  /**
   * What came of a run.
   *
   * @param requests answered with 200
   * @param failures anything else
   */
  record Result(long requests, long failures, double seconds, double p50Millis, double p99Millis) {
    double requestsPerSecond() {
      return requests / seconds;
    }
  }

  Result run(int connections, Duration duration) throws InterruptedException, IOException {
    long begin = System.nanoTime();
    long end = begin + duration.toNanos();
    List<Future<Latencies>> loops = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < connections; i++) {
        loops.add(threads.submit(() -> loop(end)));
      }
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    long failures = 0;
    List<long[]> all = new ArrayList<>();
    for (Future<Latencies> loop : loops) {
      try {
        failures += loop.get().failures;
        all.add(loop.get().nanos());
      } catch (ExecutionException e) {
        throw new IOException("a connection to port " + port + " was lost", e);
      }
    }
    long[] nanos = all.stream().flatMapToLong(Arrays::stream).sorted().toArray();
    return new Result(
        nanos.length, failures, seconds, quantileMillis(nanos, 0.50), quantileMillis(nanos, 0.99));
  }

  private static double quantileMillis(long[] sorted, double quantile) {
    return sorted.length == 0
        ? Double.NaN
        : sorted[(int) Math.min(sorted.length - 1L, (long) (quantile * sorted.length))] / 1e6;
  }

  private Latencies loop(long end) throws IOException {
    Latencies latencies = new Latencies();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(READ_TIMEOUT_MILLIS);
      InputStream in = new BufferedInputStream(socket.getInputStream(), 16 * 1024);
      OutputStream out = socket.getOutputStream();
      for (int i = 0; i < REQUESTS_PER_CONNECTION_MAX; i++) {
        long sent = System.nanoTime();
        if (sent >= end) {
          break;
        }
        out.write(request);
        HttpHead head = HttpHead.read(in);
        skipBody(in, head);
        latencies.add(head.status(), System.nanoTime() - sent);
      }
    }
    return latencies;
  }

  private static void skipBody(InputStream in, HttpHead head) throws IOException {
    if (!head.chunked()) {
      in.skipNBytes(head.contentLength());
      return;
    }
    int length = -1;
    while (length != 0) {
      length = Integer.parseInt(readLine(in), 16);
      in.skipNBytes(length + 2L);
    }
  }

  private static String readLine(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n' && next >= 0; next = in.read()) {
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }

  /** The latencies of one connection. */
  private static final class Latencies {
    private long[] nanos = new long[4_096];
    private int count;
    private long failures;

    void add(int status, long latencyNanos) {
      if (status != 200) {
        failures++;
        return;
      }
      if (count == nanos.length) {
        nanos = Arrays.copyOf(nanos, count * 2);
      }
      nanos[count++] = latencyNanos;
    }

    long[] nanos() {
      return Arrays.copyOf(nanos, count);
    }
  }
}
