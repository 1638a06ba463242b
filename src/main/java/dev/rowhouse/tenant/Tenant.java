package dev.rowhouse.tenant;

import dev.rowhouse.tenant.TenantProfile.Status;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One tenant as its record tells it: the pure core. {@link #decide} says what a command comes to,
 * {@link #apply} alone changes anything.
 *
 * <pre>
 * unknown    --Onboarded-->  active
 * active     --Suspended-->  suspended
 * suspended  --Resumed-->    active
 * active, suspended  --Offboarded-->  offboarded, for ever: the id is never given to another
 * </pre>
 *
 * Settings, keys and prompts may change while active or suspended: an operator mends a tenant
 * before resuming it.
 *
 * @param version events so far, which is the sequence number of the record
 * @param status absent: there is no such tenant
 * @param handled ids of the latest requests that changed something, the newest last
 * @param onboarding how it began; absent: it has not
 * @param ending how it ended; absent: it has not
 * @param marks the parts of budgets that were reached lately, the newest last
 */
public record Tenant(
    TenantId id,
    long version,
    @Nullable Status status,
    TenantSpec spec,
    PromptShelf prompts,
    KeyRing keys,
    List<String> handled,
    @Nullable Onboarding onboarding,
    @Nullable Ending ending,
    List<BudgetMark.Reached> marks) {

  /** Repetitions come within seconds of the first; an operator makes few changes in that time. */
  static final int HANDLED_MAX = 64;

  /** Two budgets and two marks of the tenant and of each of its keys, with room for changes. */
  static final int MARKS_MAX = 256;

  public Tenant {
    handled = List.copyOf(handled);
    // A snapshot of an older form has none.
    marks = marks == null ? List.of() : List.copyOf(marks);
  }

  /** The request that made the tenant, and the key it was given. */
  public record Onboarding(String requestId, String keyId, Instant at) {}

  /** When the tenant was offboarded, and what it had then. */
  public record Ending(Instant at, int keysRevoked, int promptsErased) {}

  public static Tenant unknown(TenantId id) {
    return new Tenant(
        id,
        0,
        null,
        TenantSpec.DEFAULTS,
        PromptShelf.EMPTY,
        KeyRing.EMPTY,
        List.of(),
        null,
        null,
        List.of());
  }

  /**
   * What that command comes to.
   *
   * @param defaultPlan the plan of a tenant that names none
   */
  public Decision decide(TenantCommand command, Instant now, String defaultPlan) {
    return new TenantDecider(this, now, defaultPlan).decide(command);
  }

  boolean hasHandled(String requestId) {
    return handled.contains(requestId);
  }

  /** What the rest of the house may know; nothing when there is no such tenant. */
  public @Nullable TenantProfile profile(String defaultPlan) {
    if (status == null || onboarding == null) {
      return null;
    }
    String plan = spec.plan();
    return new TenantProfile(
        id,
        version,
        status,
        spec.displayName(),
        plan == null ? defaultPlan : plan,
        spec.weight(),
        spec.limits(),
        spec.reservationSlots(),
        spec.reservationShare(),
        spec.defaultModel(),
        spec.allowedModels(),
        spec.aliases(),
        spec.fallbacks(),
        prompts.newestOfEach(),
        spec.cache(),
        spec.retrieval(),
        spec.contentLog(),
        spec.timeZone(),
        keys.entries(),
        marks,
        onboarding.at());
  }

  /** Accepts whatever a journal may hold. */
  public Tenant apply(TenantEvent event) {
    Instant at = event.at();
    Tenant next =
        switch (event) {
          case TenantEvent.Onboarded onboarded ->
              with(
                  Status.ACTIVE,
                  onboarded.spec(),
                  prompts,
                  keys.with(onboarded.key(), at),
                  new Onboarding(onboarded.requestId(), onboarded.key().id(), at),
                  null);
          case TenantEvent.Configured configured ->
              with(status, configured.spec(), prompts, keys, onboarding, ending);
          case TenantEvent.Suspended _ ->
              with(Status.SUSPENDED, spec, prompts, keys, onboarding, ending);
          case TenantEvent.Resumed _ ->
              with(Status.ACTIVE, spec, prompts, keys, onboarding, ending);
          case TenantEvent.Offboarded _ ->
              with(
                  Status.OFFBOARDED,
                  TenantSpec.DEFAULTS,
                  PromptShelf.EMPTY,
                  KeyRing.EMPTY,
                  onboarding,
                  new Ending(at, keys.liveAt(at).size(), prompts.histories().size()));
          case TenantEvent.KeyCreated created ->
              with(status, spec, prompts, keys.with(created.key(), at), onboarding, ending);
          case TenantEvent.KeyChanged changed ->
              with(status, spec, prompts, keys.with(changed.key(), at), onboarding, ending);
          case TenantEvent.BudgetMarked marked ->
              with(status, spec, prompts, keys, onboarding, ending).marked(marked.mark(), at);
          case TenantEvent.KeyRevoked revoked ->
              with(status, spec, prompts, keys.without(revoked.keyId()), onboarding, ending);
          case TenantEvent.KeyRotated rotated ->
              with(
                  status,
                  spec,
                  prompts,
                  keys.rotated(rotated.oldKeyId(), rotated.oldExpiresAt(), rotated.key(), at),
                  onboarding,
                  ending);
          case TenantEvent.PromptSaved saved -> {
            PromptTemplate prompt =
                new PromptTemplate(
                    saved.name(), saved.version(), saved.template(), saved.description());
            yield with(status, spec, prompts.with(prompt, at), keys, onboarding, ending);
          }
          case TenantEvent.PromptDeleted deleted ->
              with(status, spec, prompts.without(deleted.name()), keys, onboarding, ending);
        };
    return next.having(event.requestId());
  }

  private Tenant with(
      @Nullable Status status,
      TenantSpec spec,
      PromptShelf prompts,
      KeyRing keys,
      @Nullable Onboarding onboarding,
      @Nullable Ending ending) {
    return new Tenant(
        id, version + 1, status, spec, prompts, keys, handled, onboarding, ending, marks);
  }

  /** With that mark, without those of other months. */
  private Tenant marked(BudgetMark mark, Instant at) {
    List<BudgetMark.Reached> latest = new ArrayList<>(marks);
    latest.removeIf(reached -> !reached.mark().month().equals(mark.month()));
    latest.add(new BudgetMark.Reached(mark, at));
    int surplus = Math.max(0, latest.size() - MARKS_MAX);
    return new Tenant(
        id,
        version,
        status,
        spec,
        prompts,
        keys,
        handled,
        onboarding,
        ending,
        latest.subList(surplus, latest.size()));
  }

  private Tenant having(String requestId) {
    if (handled.contains(requestId)) {
      return this;
    }
    List<String> latest = new ArrayList<>(handled);
    latest.add(requestId);
    int surplus = Math.max(0, latest.size() - HANDLED_MAX);
    return new Tenant(
        id,
        version,
        status,
        spec,
        prompts,
        keys,
        latest.subList(surplus, latest.size()),
        onboarding,
        ending,
        marks);
  }
}
