package dev.rowhouse.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class AuditChainTest {
  static List<AuditEntry> chain(int length, Random random) {
    List<AuditEntry> entries = new ArrayList<>();
    AuditHead last = AuditHead.GENESIS;
    for (int i = 0; i < length; i++) {
      AuditDraft draft =
          new AuditDraft(
              random.nextBoolean() ? AuditDraft.Kind.INTENT : AuditDraft.Kind.OUTCOME,
              "request-" + i,
              "operator:" + random.nextInt(3),
              "127.0.0.1",
              "PUT /admin/tenants/{id}",
              "tenant-" + random.nextInt(5),
              Map.of("status", Integer.toString(random.nextInt(500)), "a", "b" + i));
      AuditEntry entry = AuditEntry.of(draft, 1_000L * i, last);
      entries.add(entry);
      last = entry.head();
    }
    return entries;
  }

  private static List<AuditChain.Fault> check(List<AuditEntry> entries, AuditHead kept) {
    AuditChain chain = new AuditChain(AuditHead.GENESIS);
    chain.expect(kept, "a file");
    entries.forEach(chain::next);
    return chain.end();
  }

  static List<Integer> seeds() {
    return java.util.stream.IntStream.rangeClosed(1, 300).boxed().toList();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void whateverIsDoneToOneEntryIsFoundAndNamed(int seed) {
    Random random = new Random(seed);
    List<AuditEntry> entries = chain(1 + random.nextInt(40), random);
    AuditHead kept = entries.getLast().head();
    assertEquals(List.of(), check(entries, kept));
    List<AuditEntry> tampered = new ArrayList<>(entries);
    int at = random.nextInt(entries.size());
    int first = tamper(tampered, at, random);
    List<AuditChain.Fault> faults = check(tampered, kept);
    assertFalse(faults.isEmpty(), "tampered at " + at + " and not found");
    assertEquals(first, faults.getFirst().sequence());
    assertTrue(faults.getFirst().remedy().contains("restore entry " + first), "what to do");
  }

  /** Returns the number of the first entry that cannot be right. */
  private static int tamper(List<AuditEntry> entries, int at, Random random) {
    switch (random.nextInt(4)) {
      case 0 -> entries.set(at, altered(entries.get(at), random));
      case 1 -> entries.remove(at);
      case 2 -> entries.subList(at, entries.size()).clear();
      default -> {
        // Who knows the rules makes the hash of the altered entry right: the next one tells, or the
        // head that was kept elsewhere.
        AuditEntry wrong = altered(entries.get(at), random);
        String before = at == 0 ? AuditHead.GENESIS.hash() : entries.get(at - 1).hash();
        entries.set(at, withHash(wrong, AuditChain.hash(before, wrong)));
        return at + 1 < entries.size() ? at + 2 : at + 1;
      }
    }
    return at + 1;
  }

  private static AuditEntry altered(AuditEntry entry, Random random) {
    Map<String, String> detail = new HashMap<>(entry.detail());
    long time = entry.timeMillis();
    String actor = entry.actor();
    String target = entry.target();
    switch (random.nextInt(5)) {
      case 0 -> detail.put("status", "9" + detail.get("status"));
      case 1 -> detail.remove("a");
      case 2 -> time++;
      case 3 -> actor += "x";
      // One field lends to its neighbour.
      default -> {
        target = target.substring(1);
        actor += entry.target().charAt(0);
      }
    }
    return new AuditEntry(
        entry.sequence(),
        time,
        entry.kind(),
        entry.requestId(),
        actor,
        entry.remote(),
        entry.action(),
        target,
        detail,
        entry.hash());
  }

  private static AuditEntry withHash(AuditEntry entry, String hash) {
    return new AuditEntry(
        entry.sequence(),
        entry.timeMillis(),
        entry.kind(),
        entry.requestId(),
        entry.actor(),
        entry.remote(),
        entry.action(),
        entry.target(),
        entry.detail(),
        hash);
  }

  @Test
  void aChainThatWasMadeAnewWholeIsToldFromTheHeadThatWasKept() {
    List<AuditEntry> entries = chain(10, new Random(1));
    List<AuditEntry> forged = chain(10, new Random(2));
    assertEquals(List.of(), check(forged, forged.getLast().head()), "it is a chain by itself");
    assertEquals(
        AuditChain.Kind.ALTERED, check(forged, entries.getLast().head()).getFirst().kind());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1", "x 0", "1 00", "-1 0000"})
  void whatIsNoHeadReadsAsNone(String text) {
    assertEquals(null, AuditChain.head(text));
  }

  @Test
  void aHeadIsReadAsItWasWritten() {
    AuditHead head = chain(3, new Random(5)).getLast().head();
    assertEquals(head, AuditChain.head(AuditChain.text(head) + "\n"));
    assertTrue(head.prefix() > 0 && head.prefix() < 1L << 48);
  }
}
