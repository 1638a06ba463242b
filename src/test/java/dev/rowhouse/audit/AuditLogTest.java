package dev.rowhouse.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.SharedKit;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Fence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The log with a real keeper on a real H2 file. */
final class AuditLogTest {
  @RegisterExtension static final SharedKit KIT = new SharedKit(() -> ActorTestKit.create("audit"));
  private static final AuditSettings SETTINGS =
      new AuditSettings(
          Duration.ofSeconds(30), 1_000, 50, Duration.ofDays(10), Duration.ofMillis(50));

  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-03-10T12:00:00Z"));
  private final ExecutorService blocking = Executors.newFixedThreadPool(4);
  private final List<ActorRef<AuditKeeper.Command>> keepers = new ArrayList<>();
  private @TempDir Path directory;
  private Database database;
  private Fence fence;
  private AuditLog log;

  @BeforeEach
  void open() {
    database =
        Database.open(
            ConfigFactory.parseString(
                "rowhouse.journal.jdbc { url = \"jdbc:h2:file:"
                    + directory.resolve("journal").toAbsolutePath()
                    + "\", user = sa, password = \"\", connections = 5, connection-timeout = 20s"
                    + " }"));
    fence = Fence.open(database, now::get);
    log = log();
  }

  @AfterEach
  void close() {
    keepers.forEach(KIT::stop);
    blocking.shutdown();
    database.close();
  }

  private AuditLog log() {
    AuditLog opened = AuditLog.open(KIT.system(), database, blocking, directory, SETTINGS);
    ActorRef<AuditKeeper.Command> keeper = KIT.spawn(opened.keeper(fence, now::get, "test"));
    keepers.add(keeper);
    opened.through(keeper);
    return opened;
  }

  private static AuditDraft draft(String target) {
    return new AuditDraft(
        AuditDraft.Kind.INTENT,
        "id",
        "operator:1",
        "127.0.0.1",
        "PUT /admin/tenants/{id}",
        target,
        Map.of("status", "200"));
  }

  private static <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
  }

  private AuditVerification.Report verify() {
    AuditVerification verification = log.verification();
    while (get(verification.next())) {
      assertTrue(verification.entries() > 0);
    }
    return verification.report();
  }

  private List<AuditEntry> all() {
    return get(log.read(AuditQuery.after(0)));
  }

  private void append(int count) {
    List<CompletionStage<AuditHead>> heads =
        IntStream.range(0, count).mapToObj(i -> log.append(draft("tenant-" + i))).toList();
    heads.forEach(AuditLogTest::get);
  }

  private void sql(String... statements) {
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        int changed = statement.executeUpdate(sql);
        assertTrue(changed > 0 || sql.startsWith("alter"), sql + " changed nothing");
      }
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatIsAnsweredIsInTheTableInOrderAndInTheFile() throws Exception {
    append(120);
    List<AuditEntry> entries = all();
    assertEquals(
        IntStream.range(0, 120).mapToObj(i -> "tenant-" + i).toList(),
        entries.stream().map(AuditEntry::target).toList());
    AuditHead last = entries.getLast().head();
    assertEquals(AuditChain.text(last), Files.readString(directory.resolve("audit-head")).strip());
    AuditVerification.Report report = verify();
    assertEquals(List.of(), report.faults());
    assertEquals(120, report.entries());
    assertEquals(last, report.head());
    assertEquals(
        List.of("tenant-7"),
        get(log.read(new AuditQuery(0, 10, null, null, null, "tenant-7", null))).stream()
            .map(AuditEntry::target)
            .toList());
  }

  @Test
  void aByteThatWasFlippedIsFound() {
    append(10);
    sql(
        "update rowhouse_audit set detail = replace(detail, '200', '201') where sequence_number ="
            + " 4");
    AuditChain.Fault fault = verify().faults().getFirst();
    assertEquals(AuditChain.Kind.ALTERED, fault.kind());
    assertEquals(4, fault.sequence());
  }

  @Test
  void anEntryThatWasDeletedIsFound() {
    append(10);
    sql("delete from rowhouse_audit where sequence_number = 6");
    AuditChain.Fault fault = verify().faults().getFirst();
    assertEquals(AuditChain.Kind.MISSING, fault.kind());
    assertEquals(6, fault.sequence());
  }

  @Test
  void anEndThatWasCutIsFoundByTheFile() throws Exception {
    append(10);
    sql("delete from rowhouse_audit where sequence_number > 8");
    AuditChain.Fault fault = verify().faults().getFirst();
    assertEquals(AuditChain.Kind.CUT, fault.kind());
    assertEquals(9, fault.sequence());
    assertTrue(fault.expected().contains("audit-head"), fault.expected());
    // Without the file nobody can know; what it does not protect against is this.
    Files.delete(directory.resolve("audit-head"));
    assertEquals(List.of(), verify().faults());
  }

  @Test
  void aCutBeginningIsNotTakenForAPruning() {
    append(10);
    String hash = all().get(3).hash();
    sql(
        "delete from rowhouse_audit where sequence_number <= 4",
        "insert into rowhouse_audit_base (sequence_number, hash) values (4, '" + hash + "')");
    AuditChain.Fault fault = verify().faults().getFirst();
    assertEquals(AuditChain.Kind.MISSING, fault.kind());
    assertTrue(fault.found().contains("cut"), fault.found());
  }

  @Test
  void anAnchorThatWasPutBackIsFound() {
    String older = "4 " + "a".repeat(64);
    String newer = "9 " + "b".repeat(64);
    for (String head : List.of(older, newer)) {
      get(
          log.append(
              new AuditDraft(
                  AuditDraft.Kind.ANCHOR,
                  "",
                  AuditDraft.HOUSE,
                  "",
                  "anchor",
                  "usage",
                  Map.of("usage|acme|1", head))));
    }
    assertEquals(
        Map.of("usage|acme|1", new AuditHead(9, "b".repeat(64))), get(log.anchors("", 10)));
    assertEquals(List.of(), verify().faults());
    sql("update rowhouse_audit_anchors set sequence_number = 4, hash = '" + "a".repeat(64) + "'");
    assertEquals(2, verify().faults().getFirst().sequence());
    sql("delete from rowhouse_audit_anchors");
    assertEquals(2, verify().faults().size());
  }

  @Test
  void oldEntriesGoAndTheChainStillHolds() {
    append(5);
    now.updateAndGet(time -> time.plus(Duration.ofDays(20)));
    append(3);
    awaitFirst(6);
    AuditVerification.Report report = verify();
    assertEquals(List.of(), report.faults());
    assertEquals(5, report.base());
    assertEquals(List.of("tenant-0", "tenant-1", "tenant-2"), targets(AuditDraft.Kind.INTENT));
    assertEquals(List.of("audit"), targets(AuditDraft.Kind.BASE));
    append(1);
    assertEquals(List.of(), verify().faults());
  }

  private List<String> targets(AuditDraft.Kind kind) {
    return all().stream().filter(entry -> entry.kind() == kind).map(AuditEntry::target).toList();
  }

  private void awaitFirst(long sequence) {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (all().getFirst().sequence() != sequence) {
      assertTrue(System.nanoTime() < end, "nothing was pruned within 30 s");
    }
  }

  /** Two keepers live at once: whoever claimed last writes, the other claims anew; one chain. */
  @Test
  void twoKeepersAtOnceMakeOneChain() {
    AuditLog other = log();
    int written = 0;
    for (int i = 0; i < 20; i++) {
      for (AuditLog one : List.of(log, other)) {
        try {
          get(one.append(draft("x")));
          written++;
        } catch (CompletionException e) {
          assertInstanceOf(AuditLog.Unavailable.class, e.getCause());
        }
      }
    }
    assertTrue(written >= 20, "each second try at least succeeds: " + written);
    assertEquals(written, all().size());
    assertEquals(List.of(), verify().faults());
  }

  @Test
  void whatCannotBeWrittenIsRefusedAndTheNextIsWrittenAgain() {
    append(2);
    sql("alter table rowhouse_audit rename to away");
    CompletionException refused =
        assertThrows(CompletionException.class, () -> get(log.append(draft("lost"))));
    assertInstanceOf(AuditLog.Unavailable.class, refused.getCause());
    sql("alter table away rename to rowhouse_audit");
    append(1);
    assertEquals(3, all().size());
    assertEquals(List.of(), verify().faults());
  }

  @Test
  void longTextsAreCutAndTooManyDetailsAreABug() {
    assertEquals(200, draft("t".repeat(1_000)).target().length());
    Map<String, String> many = new java.util.HashMap<>();
    List<Integer> numbers = new ArrayList<>();
    IntStream.range(0, 501).forEach(numbers::add);
    numbers.forEach(number -> many.put("d" + number, ""));
    assertThrows(
        IllegalArgumentException.class,
        () -> new AuditDraft(AuditDraft.Kind.ANCHOR, "", "", "", "", "", many));
  }
}
