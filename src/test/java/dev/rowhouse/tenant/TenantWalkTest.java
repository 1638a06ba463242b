package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random walks of one tenant through all commands, with the invariants checked at each step. */
class TenantWalkTest {
  private static final TenantId ACME = new TenantId("acme");
  private static final ClusterSecret CLUSTER = ClusterSecret.of("0123456789abcdef0123456789abcdef");
  private static final int STEPS = 300;

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 20);
  }

  /** What holds after each step. */
  private interface Invariant {
    void check(Walk walk);
  }

  /** No text of a key can be found in the record: not in its state, its events or a command. */
  private record NoSecretInState() implements Invariant {
    @Override
    public void check(Walk walk) {
      boolean isThorough = walk.step % 20 == 0;
      String seen =
          walk.latest.events() + " " + walk.command + (isThorough ? " " + walk.tenant : "");
      int latest = Math.min(isThorough ? 20 : 2, walk.secrets.size());
      for (String secret : walk.secrets.reversed().subList(0, latest)) {
        assertFalse(seen.contains(secret), "a secret shows");
      }
    }
  }

  private record KeysBounded() implements Invariant {
    @Override
    public void check(Walk walk) {
      KeyRing keys = walk.tenant.keys();
      assertTrue(keys.liveAt(walk.now).size() <= KeyRing.KEYS_MAX);
      assertTrue(keys.entries().keySet().containsAll(keys.retiring()));
      assertTrue(walk.tenant.prompts().histories().size() <= PromptShelf.PROMPTS_MAX);
      assertTrue(walk.tenant.handled().size() <= Tenant.HANDLED_MAX);
      walk.tenant
          .prompts()
          .histories()
          .values()
          .forEach(history -> assertTrue(history.versions().size() <= PromptShelf.VERSIONS_MAX));
    }
  }

  /** What a journal's replay gives is what is in memory. */
  private record ReplayEqualsLive() implements Invariant {
    @Override
    public void check(Walk walk) {
      if (walk.step % 20 == 0) {
        Tenant replayed = Tenant.unknown(ACME);
        for (TenantEvent event : walk.journal) {
          replayed = replayed.apply(event);
        }
        assertEquals(replayed, walk.tenant);
        assertEquals(walk.journal.size(), walk.tenant.version());
      }
    }
  }

  /** A command that comes twice changes nothing the second time. */
  private record RepetitionChangesNothing() implements Invariant {
    @Override
    public void check(Walk walk) {
      if (!walk.latest.events().isEmpty()) {
        Decision again = walk.tenant.decide(walk.command, walk.now, "standard");
        assertEquals(List.of(), again.events(), walk.command.toString());
      }
    }
  }

  private static final List<Invariant> INVARIANTS =
      List.of(
          new NoSecretInState(),
          new KeysBounded(),
          new ReplayEqualsLive(),
          new RepetitionChangesNothing());

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void holdsItsPromisesWhateverComes(long seed) {
    Walk walk = new Walk(new Random(seed));
    for (int i = 0; i < STEPS; i++) {
      walk.step();
      INVARIANTS.forEach(invariant -> invariant.check(walk));
    }
  }

  private static final class Walk {
    private final Random random;
    private final List<TenantEvent> journal = new ArrayList<>();
    private final List<String> secrets = new ArrayList<>();
    private Tenant tenant = Tenant.unknown(ACME);
    private Instant now = Instant.parse("2026-03-01T10:00:00Z");
    private TenantCommand command = new TenantCommand.GetProfile();
    private Decision latest = tenant.decide(command, now, "standard");
    private int step;

    Walk(Random random) {
      this.random = random;
    }

    void step() {
      step++;
      now = now.plusSeconds(random.nextInt(600));
      command = next("request-" + step);
      latest = tenant.decide(command, now, "standard");
      journal.addAll(latest.events());
      tenant = latest.after();
    }

    private TenantCommand next(String request) {
      return switch (random.nextInt(step < 10 ? 3 : 100)) {
        case 0, 1 -> new TenantCommand.Onboard(request, spec(), mint());
        case 2, 3 -> new TenantCommand.Suspend(request);
        case 4, 5 -> new TenantCommand.Resume(request);
        case 6 ->
            random.nextInt(20) == 0
                ? new TenantCommand.Offboard(request)
                : new TenantCommand.GetProfile();
        case 7, 8, 9, 10, 11, 12 -> new TenantCommand.RevokeKey(request, anyKey());
        case 13, 14, 15, 16, 17, 18, 19, 20 ->
            new TenantCommand.RotateKey(request, anyKey(), mint(), random.nextInt(4) * 1000L);
        case 21, 22, 23, 24, 25 -> new TenantCommand.DeletePrompt(request, anyName());
        case 26, 27, 28, 29, 30 ->
            new TenantCommand.Patch(
                request, new TenantPatch("{\"weight\": " + (1 + random.nextInt(5)) + "}"));
        case 31, 32, 33, 34, 35 ->
            new TenantCommand.Patch(
                request,
                new TenantPatch("{\"prompts\": {\"" + anyName() + "\": \"v" + step + "\"}}"));
        case 36, 37 ->
            new TenantCommand.Patch(
                request, new TenantPatch("{\"prompts\": {\"" + anyName() + "\": null}}"));
        default ->
            random.nextBoolean()
                ? new TenantCommand.PutPrompt(request, anyName(), "text " + step, null)
                : new TenantCommand.CreateKey(
                    request,
                    mint(),
                    "key",
                    Set.of(Scope.INFERENCE),
                    random.nextBoolean() ? now.plusSeconds(random.nextInt(100_000)) : null,
                    null);
      };
    }

    private TenantSpec spec() {
      return TenantTest.spec("Acme " + random.nextInt(3));
    }

    private String anyName() {
      return "p" + random.nextInt(60);
    }

    private String anyKey() {
      List<String> ids = List.copyOf(tenant.keys().entries().keySet());
      return ids.isEmpty() ? "000000000000" : ids.get(random.nextInt(ids.size()));
    }

    private NewKey mint() {
      ApiKey.Minted minted = ApiKey.mint(ACME, CLUSTER, random);
      String tail = minted.text().substring(minted.text().lastIndexOf('_') + 1);
      secrets.add(tail.substring(0, ApiKey.SECRET_LENGTH));
      return minted.key();
    }
  }
}
