package dev.rowhouse.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Compares what clients were told with what the journal holds. Pure: it has never heard of nodes.
 *
 * <p>An acknowledged answer must be in its own tenant's records exactly once, and in nobody else's;
 * no record may be there twice, acknowledged or not; no id may have been given to two answers; no
 * answer may hold a word of another tenant. Records beyond those that were acknowledged are no
 * fault: their client has not seen the end.
 */
final class HistoryChecker {
  private HistoryChecker() {}

  /**
   * What was found.
   *
   * @param acknowledged answers whose end a client has seen
   * @param journaled different records of all tenants
   * @param lost acknowledged and not in the tenant's records
   * @param doubled ids that are in the records more than once
   * @param faults whatever else is wrong, in words
   */
  record Verdict(
      int acknowledged,
      int journaled,
      List<String> lost,
      List<String> doubled,
      List<String> faults) {
    boolean isGood() {
      return lost.isEmpty() && doubled.isEmpty() && faults.isEmpty();
    }
  }

  /**
   * Checks a history.
   *
   * @param records the ids of each tenant's usage records, as often as they are there
   */
  static Verdict check(List<Attempt> attempts, Map<String, List<String>> records) {
    Map<String, Integer> times = new HashMap<>();
    Map<String, Set<String>> idsOf = new HashMap<>();
    records.forEach(
        (tenant, ids) -> {
          idsOf.put(tenant, new HashSet<>(ids));
          ids.forEach(id -> times.merge(id, 1, Integer::sum));
        });
    List<String> doubled = new ArrayList<>();
    times.forEach(
        (id, count) -> {
          if (count > 1) {
            doubled.add(id + " is recorded " + count + " times");
          }
        });
    List<String> lost = new ArrayList<>();
    List<String> faults = new ArrayList<>();
    Set<String> answered = new HashSet<>();
    int acknowledged = 0;
    for (Attempt attempt : attempts) {
      if (attempt.foreign() != null) {
        faults.add(attempt.id() + " of " + attempt.tenant() + " holds " + attempt.foreign());
      }
      if (!attempt.isAcknowledged()) {
        continue;
      }
      acknowledged++;
      if (attempt.id().isEmpty()) {
        faults.add("an answer of " + attempt.tenant() + " has no id");
      } else if (!answered.add(attempt.id())) {
        faults.add(attempt.id() + " was given to two answers");
      } else if (!idsOf.getOrDefault(attempt.tenant(), Set.of()).contains(attempt.id())) {
        lost.add(attempt.id() + " of " + attempt.tenant());
      }
    }
    return new Verdict(
        acknowledged, times.size(), List.copyOf(lost), List.copyOf(doubled), List.copyOf(faults));
  }
}
