package dev.rowhouse;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.Address;
import org.junit.jupiter.api.Test;

/** Of two sides of a cluster one at most goes on. */
class MajorityTest {
  private static final List<Address> ALL = List.of(node(1), node(2), node(3), node(4), node(5));

  private static Address node(int number) {
    return new Address("pekko", "rowhouse", "10.0.0." + number, 25_520);
  }

  private static Set<Address> nodes(int from, int to) {
    return new HashSet<>(ALL.subList(from - 1, to));
  }

  @Test
  void aNodeOnItsOwnIsItsMajority() {
    assertTrue(Majority.holds(nodes(1, 1), nodes(1, 1)));
  }

  @Test
  void aNodeThatIsNoMemberYetIsNotCutOff() {
    assertTrue(Majority.holds(Set.of(), Set.of()));
  }

  @Test
  void twoOfThreeGoOnAndOneDoesNot() {
    assertTrue(Majority.holds(nodes(1, 3), nodes(2, 3)));
    assertFalse(Majority.holds(nodes(1, 3), nodes(1, 1)));
  }

  @Test
  void ofTwoHalvesTheOneWithTheLowestAddressGoesOn() {
    assertTrue(Majority.holds(nodes(1, 4), nodes(1, 2)));
    assertFalse(Majority.holds(nodes(1, 4), nodes(3, 4)));
  }

  @Test
  void whoIsNoMemberDoesNotCount() {
    assertFalse(Majority.holds(nodes(1, 3), nodes(3, 5)));
  }
}
