package dev.rowhouse.http;

import dev.rowhouse.audit.AuditDraft;
import dev.rowhouse.audit.AuditLog;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts calls with a wrong operator token and logs them together: one entry for all of a while, so
 * that an attacker can fill neither the disk nor the queue of the log.
 */
final class RefusedCalls {
  private static final Logger LOG = LoggerFactory.getLogger(RefusedCalls.class);

  /** Addresses named in one entry; the others are only counted. */
  private static final int REMOTES_MAX = 20;

  private static final String OTHERS = "others";

  private final ActorSystem<?> system;
  private final AuditLog log;
  private final InstantSource clock;
  private final Duration window;
  private Map<String, Long> byRemote = new LinkedHashMap<>();
  private long firstMillis;
  private String firstAction = "";
  private String firstRequest = "";

  RefusedCalls(ActorSystem<?> system, AuditLog log, InstantSource clock, Duration window) {
    this.system = system;
    this.log = log;
    this.clock = clock;
    this.window = window;
  }

  synchronized void add(Call call) {
    if (byRemote.isEmpty()) {
      firstMillis = clock.millis();
      firstRequest = call.requestId();
      firstAction = call.method().value() + " /" + String.join("/", call.segments());
      system.scheduler().scheduleOnce(window, this::flush, system.executionContext());
    }
    String remote = Audited.remote(call);
    String name = byRemote.size() < REMOTES_MAX || byRemote.containsKey(remote) ? remote : OTHERS;
    byRemote.merge(name, 1L, Long::sum);
  }

  private void flush() {
    AuditDraft draft = take();
    log.append(draft)
        .whenComplete(
            (head, failure) -> {
              if (failure != null) {
                LOG.warn("{} is not in the audit log: {}", draft.detail(), failure.toString());
              }
            });
  }

  private synchronized AuditDraft take() {
    Map<String, String> detail = new HashMap<>();
    long all = byRemote.values().stream().mapToLong(Long::longValue).sum();
    detail.put("calls", Long.toString(all));
    detail.put("since", java.time.Instant.ofEpochMilli(firstMillis).toString());
    byRemote.forEach((remote, calls) -> detail.put("from " + remote, Long.toString(calls)));
    String remote = byRemote.size() == 1 ? byRemote.keySet().iterator().next() : "";
    byRemote = new LinkedHashMap<>();
    return new AuditDraft(
        AuditDraft.Kind.REFUSED,
        firstRequest,
        "unknown",
        remote,
        "invalid_operator_token",
        firstAction,
        detail);
  }
}
