package dev.rowhouse.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.SharedKit;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.journal.Fence;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The log with a real keeper on the real Cassandra. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CassandraAuditIT {
  @RegisterExtension static final SharedKit KIT = new SharedKit(() -> ActorTestKit.create("audit"));
  private static final AuditSettings SETTINGS =
      new AuditSettings(
          Duration.ofSeconds(60), 1_000, 50, Duration.ofDays(10), Duration.ofMillis(50));

  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-03-10T12:00:00Z"));
  private final ExecutorService blocking = Executors.newFixedThreadPool(4);
  private final List<ActorRef<AuditKeeper.Command>> keepers = new ArrayList<>();
  private final Cassandra cassandra = CassandraProcess.keyspace("audit", "journal", "audit");
  private final Fence fence = Fence.open(cassandra, now::get);

  @BeforeEach
  void empty() {
    CassandraProcess.truncate(
        cassandra,
        "rowhouse_fence",
        "rowhouse_audit",
        "rowhouse_audit_buckets",
        "rowhouse_audit_base",
        "rowhouse_audit_anchors");
  }

  @AfterEach
  void stop() {
    keepers.forEach(KIT::stop);
    keepers.clear();
  }

  @AfterAll
  void close() {
    blocking.shutdown();
    cassandra.close();
  }

  private AuditLog log() {
    AuditLog opened = AuditLog.open(KIT.system(), cassandra, blocking, null, SETTINGS);
    ActorRef<AuditKeeper.Command> keeper = KIT.spawn(opened.keeper(fence, now::get, "test"));
    keepers.add(keeper);
    opened.through(keeper);
    return opened;
  }

  private static AuditDraft draft(AuditDraft.Kind kind, String target, Map<String, String> detail) {
    return new AuditDraft(kind, "id", "operator:1", "127.0.0.1", "PUT /x", target, detail);
  }

  private static void append(AuditLog log, int count) {
    List<CompletionStage<AuditHead>> heads =
        IntStream.range(0, count)
            .mapToObj(
                i ->
                    log.append(
                        draft(AuditDraft.Kind.INTENT, "tenant-" + i, Map.of("status", "200"))))
            .toList();
    heads.forEach(CassandraAuditIT::get);
  }

  private static <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(120, TimeUnit.SECONDS).join();
  }

  private static AuditVerification.Report verify(AuditLog log) {
    AuditVerification verification = log.verification();
    while (get(verification.next())) {
      assertTrue(verification.entries() > 0);
    }
    return verification.report();
  }

  @Test
  void whatIsAnsweredIsThereInOrderAndWhatWasAlteredIsFound() {
    AuditLog log = log();
    append(log, 120);
    List<AuditEntry> entries = get(log.read(AuditQuery.after(0)));
    assertEquals(
        IntStream.range(0, 120).mapToObj(i -> "tenant-" + i).toList(),
        entries.stream().map(AuditEntry::target).toList());
    assertEquals(List.of(), verify(log).faults());
    AuditQuery one = new AuditQuery(0, 10, null, null, "PUT /x", "tenant-7", null);
    assertEquals(List.of(entries.get(7)), get(log.read(one)));
    assertEquals(entries.subList(100, 105), get(log.read(page(100, 5))));

    cassandra.execute(
        "update rowhouse_audit set detail = '{\"status\":\"201\"}'"
            + " where bucket = 0 and sequence_number = 4");
    cassandra.execute("delete from rowhouse_audit where bucket = 0 and sequence_number = 60");
    List<AuditChain.Fault> faults = verify(log).faults();
    assertEquals(4, faults.getFirst().sequence());
    assertTrue(faults.stream().anyMatch(fault -> fault.kind() == AuditChain.Kind.MISSING));
  }

  private static AuditQuery page(long after, int limit) {
    return new AuditQuery(after, limit, null, null, null, null, null);
  }

  /** Two keepers live at once: whoever claimed last writes, the other claims anew; one chain. */
  @Test
  void twoKeepersAtOnceMakeOneChain() {
    AuditLog first = log();
    AuditLog second = log();
    int written = 0;
    for (int i = 0; i < 10; i++) {
      for (AuditLog one : List.of(first, second)) {
        try {
          get(one.append(draft(AuditDraft.Kind.INTENT, "x", Map.of())));
          written++;
        } catch (CompletionException e) {
          assertInstanceOf(AuditLog.Unavailable.class, e.getCause());
        }
      }
    }
    assertTrue(written >= 10, "each second try at least succeeds: " + written);
    assertEquals(written, get(first.read(AuditQuery.after(0))).size());
    assertEquals(List.of(), verify(first).faults());
  }

  @Test
  void aWriterThatPassedTheFenceTooEarlyChangesNoEntry() {
    AuditTable table = AuditTable.open(cassandra);
    long number = fence.claim(AuditTable.FENCE_NAME, "one");
    AuditEntry first =
        AuditEntry.of(draft(AuditDraft.Kind.INTENT, "first", Map.of()), 1, AuditHead.GENESIS);
    AuditEntry other =
        AuditEntry.of(draft(AuditDraft.Kind.INTENT, "other", Map.of()), 1, AuditHead.GENESIS);
    table.write(number, List.of(first));
    assertThrows(AuditTable.FencedOff.class, () -> table.write(number, List.of(other)));
    fence.claim(AuditTable.FENCE_NAME, "two");
    AuditEntry next =
        AuditEntry.of(draft(AuditDraft.Kind.INTENT, "next", Map.of()), 2, first.head());
    assertThrows(AuditTable.FencedOff.class, () -> table.write(number, List.of(next)));
    assertEquals(List.of(first), table.read(AuditQuery.after(0)));
    assertEquals(first.head(), table.last());
  }

  @Test
  void oldEntriesGoAndTheChainStillHolds() {
    AuditLog log = log();
    append(log, 5);
    now.updateAndGet(time -> time.plus(Duration.ofDays(20)));
    append(log, 3);
    long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    while (get(log.read(page(0, 1))).getFirst().sequence() != 6) {
      assertTrue(System.nanoTime() < end, "nothing was pruned within a minute");
    }
    AuditVerification.Report report = verify(log);
    assertEquals(List.of(), report.faults());
    assertEquals(5, report.base());
    append(log, 1);
    assertEquals(List.of(), verify(log).faults());
  }

  @Test
  void theNewestAnchorOfASegmentCounts() {
    AuditLog log = log();
    for (String head : List.of("4 " + "a".repeat(64), "9 " + "b".repeat(64))) {
      get(log.append(draft(AuditDraft.Kind.ANCHOR, "usage", Map.of("usage|acme|1", head))));
    }
    get(
        log.append(
            draft(
                AuditDraft.Kind.ANCHOR, "usage", Map.of("usage|globex|1", "1 " + "c".repeat(64)))));
    AuditHead newest = new AuditHead(9, "b".repeat(64));
    assertEquals(Map.of("usage|acme|1", newest), get(log.anchors("", 1)));
    assertEquals(
        List.of("usage|globex|1"), List.copyOf(get(log.anchors("usage|acme|1", 10)).keySet()));
    assertEquals(List.of(), verify(log).faults());
  }
}
