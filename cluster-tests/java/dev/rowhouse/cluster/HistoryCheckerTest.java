package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.cluster.Attempt.Outcome;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HistoryCheckerTest {
  private static Attempt attempt(String tenant, String id, Outcome outcome) {
    return new Attempt(
        tenant, id, 0, 0, 10, outcome, outcome == Outcome.ACKNOWLEDGED ? 200 : 503, "", null);
  }

  private static Attempt acknowledged(String tenant, String id) {
    return attempt(tenant, id, Outcome.ACKNOWLEDGED);
  }

  @Test
  void whatWasAcknowledgedAndIsRecordedOnceIsGood() {
    var verdict =
        HistoryChecker.check(
            List.of(acknowledged("acme", "a"), acknowledged("globex", "b")),
            Map.of("acme", List.of("a"), "globex", List.of("b")));
    assertTrue(verdict.isGood());
    assertEquals(2, verdict.acknowledged());
    assertEquals(2, verdict.journaled());
  }

  @Test
  void anAcknowledgedAnswerWithoutARecordIsLost() {
    var verdict =
        HistoryChecker.check(List.of(acknowledged("acme", "a")), Map.of("acme", List.of()));
    assertEquals(List.of("a of acme"), verdict.lost());
    assertFalse(verdict.isGood());
  }

  @Test
  void aRecordInAnotherTenantsJournalDoesNotCount() {
    var verdict =
        HistoryChecker.check(
            List.of(acknowledged("acme", "a")), Map.of("acme", List.of(), "globex", List.of("a")));
    assertEquals(List.of("a of acme"), verdict.lost());
  }

  @Test
  void aRecordThatIsThereTwiceIsDoubledWhoeverSawIt() {
    var verdict =
        HistoryChecker.check(
            List.of(acknowledged("acme", "a"), attempt("acme", "", Outcome.UNKNOWN)),
            Map.of("acme", List.of("a", "x", "x")));
    assertEquals(List.of("x is recorded 2 times"), verdict.doubled());
    assertEquals(List.of(), verdict.lost());
  }

  @Test
  void aRecordOfTwoTenantsIsDoubled() {
    var verdict =
        HistoryChecker.check(
            List.of(acknowledged("acme", "a")),
            Map.of("acme", List.of("a"), "globex", List.of("a")));
    assertEquals(List.of("a is recorded 2 times"), verdict.doubled());
  }

  @Test
  void whatNobodySawTheEndOfMayBeRecordedOrNot() {
    var verdict =
        HistoryChecker.check(
            List.of(
                attempt("acme", "a", Outcome.UNKNOWN),
                attempt("acme", "b", Outcome.REFUSED),
                attempt("acme", "", Outcome.NOT_CONNECTED)),
            Map.of("acme", List.of("a")));
    assertTrue(verdict.isGood());
    assertEquals(0, verdict.acknowledged());
  }

  @Test
  void anIdThatTwoAnswersHaveIsAFault() {
    var verdict =
        HistoryChecker.check(
            List.of(acknowledged("acme", "a"), acknowledged("acme", "a")),
            Map.of("acme", List.of("a")));
    assertEquals(List.of("a was given to two answers"), verdict.faults());
  }

  @Test
  void aWordOfAnotherTenantIsAFaultInARefusalToo() {
    var verdict =
        HistoryChecker.check(
            List.of(new Attempt("acme", "a", 0, 0, 10, Outcome.REFUSED, 503, "", "canary-globex")),
            Map.of("acme", List.of()));
    assertEquals(List.of("a of acme holds canary-globex"), verdict.faults());
  }

  @Test
  void anAcknowledgedAnswerNeedsAnId() {
    var verdict =
        HistoryChecker.check(List.of(acknowledged("acme", "")), Map.of("acme", List.of()));
    assertEquals(List.of("an answer of acme has no id"), verdict.faults());
  }
}
