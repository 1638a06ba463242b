package dev.rowhouse.serving;

import dev.rowhouse.fairness.Backlog;
import dev.rowhouse.fairness.SlotHolder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One tenant's requests that wait for slots, a {@link WaitingLine} for each pool, and what the
 * coordinator said of those pools. Its limit is the tenant's queue length; {@link Desk} asks for it
 * before it lets one in.
 */
final class WaitingRoom {
  /** For how long what the coordinator said of a pool is believed; it repeats it each second. */
  private static final long OUTLOOK_FRESH_MILLIS = 5_000;

  private record Heard(SlotHolder.Outlook outlook, long atMillis) {}

  /** By pool, which is a model's name; an empty line stays for what it has learned. */
  private final Map<String, WaitingLine> lines = new HashMap<>();

  private final Map<String, Heard> outlooks = new HashMap<>();
  private long size;

  /** How many wait, for any pool. */
  long size() {
    return size;
  }

  int size(String pool) {
    WaitingLine line = lines.get(pool);
    return line == null ? 0 : line.size();
  }

  List<String> pools() {
    List<String> pools = new ArrayList<>();
    lines.forEach(
        (pool, line) -> {
          if (line.size() > 0) {
            pools.add(pool);
          }
        });
    return pools;
  }

  void enter(InFlight request) {
    request.running = false;
    if (lines.computeIfAbsent(request.pool(), _ -> new WaitingLine()).add(request)) {
      size++;
    }
  }

  void remove(InFlight request) {
    WaitingLine line = lines.get(request.pool());
    if (line != null && line.remove(request)) {
      size--;
    }
  }

  /**
   * The next request of a pool, in turn; it is running from now on.
   *
   * @param smallOnly whether only a small one will do
   */
  @Nullable InFlight next(String pool, boolean smallOnly, long nowMillis) {
    WaitingLine line = lines.get(pool);
    InFlight first = line == null ? null : line.first(smallOnly);
    if (line != null && first != null) {
      line.served(first, nowMillis);
      remove(first);
      first.running = true;
    }
    return first;
  }

  /** Those that have waited for longer than that, for any pool. */
  List<InFlight> waitedOver(long millis, long nowMillis) {
    List<InFlight> found = new ArrayList<>();
    for (WaitingLine line : lines.values()) {
      for (InFlight request : line.requests()) {
        if (nowMillis - request.ask.receivedAtMillis() > millis) {
          found.add(request);
        }
      }
    }
    return found;
  }

  /** Those that wait for a pool now. */
  List<InFlight> requests(String pool) {
    WaitingLine line = lines.get(pool);
    List<InFlight> found = new ArrayList<>();
    if (line != null) {
      line.requests().forEach(found::add);
    }
    return found;
  }

  /** What waits for a pool, for the coordinator. */
  Backlog backlog(String pool, long nowMillis) {
    WaitingLine line = lines.get(pool);
    return line == null ? Backlog.of(0, 0) : line.backlog(nowMillis);
  }

  /** What a pool promises; remembered where something has waited for it. */
  void outlook(SlotHolder.Outlook said, long nowMillis) {
    if (lines.containsKey(said.pool())) {
      outlooks.put(said.pool(), new Heard(said, nowMillis));
    }
  }

  /** By what waits before it and how fast the pool serves this tenant; 0 when that is not known. */
  long expectedWaitMillis(InFlight request, long nowMillis) {
    SlotHolder.Outlook outlook = fresh(request.pool(), nowMillis);
    WaitingLine line = lines.get(request.pool());
    return outlook == null || line == null || outlook.costPerSecond() <= 0
        ? 0
        : Math.round(1_000 * line.costBefore(request) / outlook.costPerSecond());
  }

  /** Whether it is known that no worker has slots of that pool. */
  boolean isServedByNobody(String pool, long nowMillis) {
    SlotHolder.Outlook outlook = fresh(pool, nowMillis);
    return outlook != null && outlook.slots() == 0;
  }

  private SlotHolder.@Nullable Outlook fresh(String pool, long nowMillis) {
    Heard heard = outlooks.get(pool);
    return heard == null || nowMillis - heard.atMillis() > OUTLOOK_FRESH_MILLIS
        ? null
        : heard.outlook();
  }
}
