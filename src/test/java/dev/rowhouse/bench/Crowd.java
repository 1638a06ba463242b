package dev.rowhouse.bench;

import dev.rowhouse.bench.ChatConnection.Outcome;
import dev.rowhouse.bench.ChatConnection.Work;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The clients of one tenant, with what came of their requests. They ask in a closed loop (so many
 * at once, each its next request after an answer) or when they are told to (an open stream of
 * arrivals, which does not wait for answers). A virtual thread each.
 */
final class Crowd implements AutoCloseable {
  /**
   * A node closes a connection that was idle for two minutes; one that long unused is not tried.
   */
  private static final long IDLE_MAX_NANOS = 30_000_000_000L;

  /** What an outcome of a lost connection says in place of a status. */
  static final int LOST = 0;

  private record Idle(ChatConnection connection, long sinceNanos) {}

  private final String key;
  private final int port;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ConcurrentLinkedDeque<Idle> idle = new ConcurrentLinkedDeque<>();
  private final Queue<Outcome> outcomes = new ConcurrentLinkedQueue<>();
  private final AtomicInteger open = new AtomicInteger();

  Crowd(String key, int port) {
    this.key = key;
    this.port = port;
  }

  /** Starts so many clients that ask one request after another until that time. */
  void loop(int clients, long endNanos, Supplier<Work> work) {
    loop(clients, () -> System.nanoTime() < endNanos, work);
  }

  /** Starts so many clients that ask one request after another as long as it says. */
  void loop(int clients, BooleanSupplier goesOn, Supplier<Work> work) {
    for (int i = 0; i < clients; i++) {
      threads.execute(
          () -> {
            while (goesOn.getAsBoolean()) {
              open.incrementAndGet();
              Outcome outcome = answerOf(work.get(), System.nanoTime());
              if (outcome.status() != 200) {
                pauseAfterARefusal();
              }
            }
          });
    }
  }

  /** Sends one request at once, whatever the others do. */
  void ask(Work work) {
    ask(work, null);
  }

  /** Sends one request when the queue lets it pass; its time begins now. */
  void ask(Work work, @Nullable Semaphore queue) {
    open.incrementAndGet();
    long begin = System.nanoTime();
    threads.execute(
        () -> {
          if (queue == null) {
            answerOf(work, begin);
          } else {
            queue.acquireUninterruptibly();
            try {
              answerOf(work, begin);
            } finally {
              queue.release();
            }
          }
        });
  }

  private Outcome answerOf(Work work, long begin) {
    Outcome outcome;
    ChatConnection connection = fromIdle();
    try {
      connection = connection == null ? new ChatConnection(port) : connection;
      outcome = connection.ask(key, work, begin);
      idle.addFirst(new Idle(connection, System.nanoTime()));
    } catch (IOException e) {
      long now = System.nanoTime();
      String reason = e.toString();
      outcome = new Outcome(work, begin, now, now, LOST, reason, 0, -1);
      closeQuietly(connection);
    }
    outcomes.add(outcome);
    open.decrementAndGet();
    return outcome;
  }

  private @Nullable ChatConnection fromIdle() {
    for (Idle next = idle.pollFirst(); next != null; next = idle.pollFirst()) {
      if (System.nanoTime() - next.sinceNanos() < IDLE_MAX_NANOS) {
        return next.connection();
      }
      closeQuietly(next.connection());
    }
    return null;
  }

  /** A client that is refused and asks again at once would measure refusals. */
  private static void pauseAfterARefusal() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Requests without an answer yet. */
  int open() {
    return open.get();
  }

  /** The outcomes of requests that ended in that time. */
  List<Outcome> endedBetween(long fromNanos, long untilNanos) {
    return outcomes.stream()
        .filter(outcome -> outcome.doneNanos() >= fromNanos && outcome.doneNanos() < untilNanos)
        .toList();
  }

  /** The outcomes of requests that were sent in that time. */
  List<Outcome> sentBetween(long fromNanos, long untilNanos) {
    return outcomes.stream()
        .filter(outcome -> outcome.sentNanos() >= fromNanos && outcome.sentNanos() < untilNanos)
        .toList();
  }

  /** Waits until every request of these crowds has its answer. */
  static void awaitAnswers(List<Crowd> crowds) throws InterruptedException {
    while (crowds.stream().anyMatch(crowd -> crowd.open() > 0)) {
      Thread.sleep(20);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
    idle.forEach(one -> closeQuietly(one.connection()));
  }

  private static void closeQuietly(@Nullable ChatConnection connection) {
    if (connection != null) {
      try {
        connection.close();
      } catch (IOException ignored) {
        // It is given up either way.
      }
    }
  }
}
