package dev.rowhouse;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The rooms' arrows, one way. Move one only with a reason in the commit. */
class ArchitectureTest {
  private static final String HOUSE = "dev.rowhouse";

  /** Every room, and the rooms on which it may stand. */
  private static final Map<String, Set<String>> ARROWS = new LinkedHashMap<>();

  static {
    ARROWS.put("journal", Set.of());
    ARROWS.put("tenant", Set.of("journal"));
    ARROWS.put("fairness", Set.of("tenant", "journal"));
    ARROWS.put("usage", Set.of("tenant", "journal"));
    ARROWS.put("audit", Set.of("tenant", "journal"));
    ARROWS.put("reporting", Set.of("usage", "tenant", "journal"));
    ARROWS.put("retrieval", Set.of("tenant", "journal"));
    ARROWS.put("inference", Set.of("fairness", "retrieval", "tenant"));
    ARROWS.put(
        "serving", Set.of("inference", "retrieval", "fairness", "usage", "tenant", "journal"));
    // What a replay shares out again it shares out by the fair queue itself.
    ARROWS.put("replay", Set.of("usage", "fairness", "tenant", "journal"));
    // fairness: the operator plane shows the coordinator's own snapshot of the pools.
    ARROWS.put(
        "http",
        Set.of(
            "serving", "reporting", "audit", "usage", "retrieval", "tenant", "fairness", "replay"));
  }

  private static final JavaClasses HOUSE_CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(HOUSE);

  @TestFactory
  Stream<DynamicTest> aRoomStandsOnlyOnTheRoomsBelowIt() {
    return ARROWS.entrySet().stream()
        .map(
            room ->
                DynamicTest.dynamicTest(
                    room.getKey() + " stands on " + new TreeSet<>(room.getValue()),
                    () -> standsOnly(room.getKey(), room.getValue())));
  }

  private static void standsOnly(String room, Set<String> below) {
    String[] forbidden =
        Stream.concat(
                ARROWS.keySet().stream()
                    .filter(other -> !other.equals(room) && !below.contains(other))
                    .map(ArchitectureTest::room),
                // The package of Main itself: it opens the rooms, so no room may know it.
                Stream.of(HOUSE))
            .toArray(String[]::new);
    noClasses()
        .that()
        .resideInAPackage(room(room))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(forbidden)
        .allowEmptyShould(true)
        .check(HOUSE_CLASSES);
  }

  @Test
  void everyClassIsInARoomOrBesideMain() {
    Set<String> strangers =
        HOUSE_CLASSES.stream()
            .map(JavaClass::getPackageName)
            .filter(name -> !name.equals(HOUSE))
            .filter(name -> !ARROWS.containsKey(roomOf(name)))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(Set.of(), strangers, "packages that are no room of the house");
  }

  @Test
  void everyPackageSaysThatItIsNullMarked() {
    Set<String> silent =
        HOUSE_CLASSES.stream()
            .map(JavaClass::getPackageName)
            .distinct()
            .filter(name -> !isNullMarked(name))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(Set.of(), silent, "packages without a @NullMarked package-info");
  }

  private static boolean isNullMarked(String packageName) {
    try {
      return Class.forName(packageName + ".package-info").isAnnotationPresent(NullMarked.class);
    } catch (ClassNotFoundException noPackageInfo) {
      return false;
    }
  }

  @Test
  void onlyMainsPackageEndsTheProcess() {
    ArchRule rule =
        noClasses()
            .that()
            .resideOutsideOfPackage(HOUSE)
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class)
            .allowEmptyShould(true);
    rule.check(HOUSE_CLASSES);
  }

  @Test
  void onlyMainsPackagePrints() {
    noClasses()
        .that()
        .resideOutsideOfPackage(HOUSE)
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .orShould()
        .callMethod(Throwable.class, "printStackTrace")
        .orShould()
        .callMethod(Throwable.class, "printStackTrace", PrintStream.class)
        .allowEmptyShould(true)
        .check(HOUSE_CLASSES);
  }

  /**
   * A handle is one tenant's already. A tenant that a caller can read from it, or pass to a search,
   * would be a second answer to the question whose passages these are.
   */
  @Test
  void theRetrievalHandleTellsAndTakesNoTenant() {
    JavaClass handle = HOUSE_CLASSES.get(HOUSE + ".retrieval.RetrievalHandle");
    Set<String> open =
        Stream.<JavaMember>concat(handle.getAllMethods().stream(), handle.getAllFields().stream())
            .filter(member -> member.getModifiers().contains(JavaModifier.PUBLIC))
            .filter(ArchitectureTest::isAboutATenant)
            .map(JavaMember::getFullName)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(Set.of(), open, "public members of RetrievalHandle that speak of a tenant");
  }

  private static boolean isAboutATenant(JavaMember member) {
    Collection<JavaClass> types = member.getAllInvolvedRawTypes();
    return member.getName().toLowerCase(java.util.Locale.ROOT).contains("tenant")
        || types.stream().anyMatch(type -> type.getName().equals(HOUSE + ".tenant.TenantId"));
  }

  @Test
  void theRoomThatComputesHoldsNoIndexOfItsOwn() {
    noClasses()
        .that(resideInAPackage(room("inference")).or(resideInAPackage(room("serving"))))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.lucene..")
        .allowEmptyShould(true)
        .check(HOUSE_CLASSES);
  }

  @Test
  void onlyTheJournalRoomAndItsNeighboursSpeakSql() {
    noClasses()
        .that()
        .resideInAnyPackage(room("http"), room("inference"), room("fairness"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.sql..", "javax.sql..")
        .allowEmptyShould(true)
        .check(HOUSE_CLASSES);
  }

  /**
   * The snapshot store has a classic protocol only, so who reads one snapshot is a classic actor.
   */
  @Test
  void actorMessagesAreTypedNeverClassic() {
    classes()
        .that()
        .resideInAPackage(HOUSE + "..")
        .and()
        .doNotHaveFullyQualifiedName(HOUSE + ".usage.SnapshotProbe")
        .should()
        .notBeAssignableTo(org.apache.pekko.actor.AbstractActor.class)
        .check(HOUSE_CLASSES);
  }

  @Test
  void theArrowsHaveNoCircle() {
    for (String room : ARROWS.keySet()) {
      assertFalse(reachable(room).contains(room), room + " stands on itself");
    }
    assertTrue(
        ARROWS.keySet().containsAll(ARROWS.values().stream().flatMap(Set::stream).toList()),
        "an arrow points to a room that is not there");
  }

  private static Set<String> reachable(String room) {
    Set<String> seen = new TreeSet<>();
    for (String below : ARROWS.getOrDefault(room, Set.of())) {
      seen.add(below);
      seen.addAll(reachable(below));
    }
    return seen;
  }

  private static String room(String name) {
    return HOUSE + "." + name + "..";
  }

  private static String roomOf(String packageName) {
    return Arrays.stream(packageName.substring(HOUSE.length() + 1).split("\\."))
        .findFirst()
        .orElse("");
  }
}
