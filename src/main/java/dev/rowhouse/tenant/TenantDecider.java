package dev.rowhouse.tenant;

import static java.util.Objects.requireNonNull;

import dev.rowhouse.tenant.TenantProfile.Status;
import dev.rowhouse.tenant.TenantReply.Reason;
import dev.rowhouse.tenant.TenantSpec.PromptText;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The rules of {@link Tenant#decide}, for one command at one moment. */
final class TenantDecider {
  private final Tenant tenant;
  private final Instant now;
  private final String defaultPlan;

  TenantDecider(Tenant tenant, Instant now, String defaultPlan) {
    this.tenant = tenant;
    this.now = now;
    this.defaultPlan = defaultPlan;
  }

  Decision decide(TenantCommand command) {
    if (tenant.status() == null && !(command instanceof TenantCommand.Onboard)) {
      return refuse(Reason.TENANT_NOT_FOUND, null, "there is no tenant " + tenant.id());
    }
    if (tenant.status() == Status.OFFBOARDED) {
      return decideWhenOffboarded(command);
    }
    return switch (command) {
      case TenantCommand.Onboard onboard -> onboard(onboard);
      case TenantCommand.Patch patch -> patch(patch);
      case TenantCommand.Suspend suspend ->
          turn(
              suspend, Status.SUSPENDED, new TenantEvent.Suspended(id(), suspend.requestId(), now));
      case TenantCommand.Resume resume ->
          turn(resume, Status.ACTIVE, new TenantEvent.Resumed(id(), resume.requestId(), now));
      case TenantCommand.Offboard offboard ->
          write(
              List.of(new TenantEvent.Offboarded(id(), offboard.requestId(), now)),
              this::offboarded);
      case TenantCommand.CreateKey create -> createKey(create);
      case TenantCommand.ChangeKey change -> changeKey(change);
      case TenantCommand.RevokeKey revoke -> revokeKey(revoke);
      case TenantCommand.RotateKey rotate -> rotateKey(rotate);
      case TenantCommand.MarkBudget mark -> markBudget(mark);
      case TenantCommand.PutPrompt put -> putPrompt(put);
      case TenantCommand.DeletePrompt delete -> deletePrompt(delete);
      case TenantCommand.GetProfile _ -> answer(profileIs(tenant));
      case TenantCommand.GetPromptVersions get -> promptVersions(get);
    };
  }

  private Decision decideWhenOffboarded(TenantCommand command) {
    return switch (command) {
      case TenantCommand.GetProfile _ -> answer(profileIs(tenant));
      case TenantCommand.Offboard _ -> answer(offboarded(tenant));
      case TenantCommand.Change _, TenantCommand.GetPromptVersions _ ->
          refuse(
              Reason.TENANT_OFFBOARDED,
              null,
              "the tenant " + id() + " was offboarded; its id is not given again");
    };
  }

  private Decision onboard(TenantCommand.Onboard onboard) {
    Tenant.Onboarding first = tenant.onboarding();
    if (first != null && tenant.status() != null) {
      boolean created = first.requestId().equals(onboard.requestId());
      if (created
          || tenant.hasHandled(onboard.requestId())
          || tenant.spec().equals(onboard.spec())) {
        return answer(onboarded(tenant, created ? first.keyId() : null));
      }
      return configure(onboard.requestId(), onboard.spec(), after -> onboarded(after, null));
    }
    KeyEntry key =
        new KeyEntry(
            onboard.key().id(),
            onboard.key().secretSha256(),
            "default",
            EnumSet.allOf(Scope.class),
            now,
            null,
            null,
            List.of());
    List<TenantEvent> events = new ArrayList<>();
    events.add(new TenantEvent.Onboarded(id(), onboard.requestId(), now, onboard.spec(), key));
    events.addAll(declared(onboard.requestId(), Map.of(), onboard.spec().prompts()));
    return write(events, after -> onboarded(after, key.id()));
  }

  private Decision patch(TenantCommand.Patch patch) {
    if (tenant.hasHandled(patch.requestId())) {
      return answer(profileIs(tenant));
    }
    return switch (TenantSpecReader.merge(id(), tenant.spec(), patch.patch())) {
      case Checked.Bad<TenantSpec>(List<FieldError> errors) ->
          refuse(Reason.INVALID, errors.getFirst().field(), errors.getFirst().message());
      case Checked.Good<TenantSpec>(TenantSpec spec) ->
          spec.equals(tenant.spec())
              ? answer(profileIs(tenant))
              : configure(patch.requestId(), spec, this::profileIs);
    };
  }

  private Decision configure(
      String requestId, TenantSpec spec, Function<Tenant, TenantReply> reply) {
    List<TenantEvent> events = new ArrayList<>();
    events.add(new TenantEvent.Configured(id(), requestId, now, spec));
    events.addAll(declared(requestId, tenant.spec().prompts(), spec.prompts()));
    Decision decision = write(events, reply);
    if (decision.after().prompts().histories().size() > PromptShelf.PROMPTS_MAX) {
      return tooManyPrompts("prompts");
    }
    return decision;
  }

  /**
   * What a change of the declared templates comes to. A template that the tenant wrote itself stays
   * until the operator declares another text under its name.
   */
  private List<TenantEvent> declared(
      String requestId, Map<String, PromptText> before, Map<String, PromptText> after) {
    List<TenantEvent> events = new ArrayList<>();
    for (String name : new TreeMap<>(before).keySet()) {
      if (!after.containsKey(name) && tenant.prompts().newest(name) != null) {
        events.add(new TenantEvent.PromptDeleted(id(), requestId, now, name));
      }
    }
    new TreeMap<>(after)
        .forEach(
            (name, text) -> {
              PromptTemplate newest = tenant.prompts().newest(name);
              boolean isDeclaredAnew = !text.equals(before.get(name)) || newest == null;
              boolean isSame =
                  newest != null
                      && text.equals(new PromptText(newest.template(), newest.description()));
              if (isDeclaredAnew && !isSame) {
                events.add(saved(requestId, name, text.template(), text.description()));
              }
            });
    return events;
  }

  private TenantEvent.PromptSaved saved(
      String requestId, String name, String template, @Nullable String description) {
    int version = tenant.prompts().nextVersion(name);
    return new TenantEvent.PromptSaved(id(), requestId, now, name, version, template, description);
  }

  private Decision turn(TenantCommand.Change command, Status status, TenantEvent event) {
    return tenant.status() == status || tenant.hasHandled(command.requestId())
        ? answer(profileIs(tenant))
        : write(List.of(event), this::profileIs);
  }

  private Decision createKey(TenantCommand.CreateKey create) {
    KeyEntry there = tenant.keys().entries().get(create.key().id());
    if (there != null && there.secretSha256().equals(create.key().secretSha256())) {
      return answer(new TenantReply.KeyCreated(there));
    }
    if (there != null || tenant.hasHandled(create.requestId())) {
      return noKey(create.key().id());
    }
    if (create.name().isBlank() || create.name().length() > KeyRing.NAME_LENGTH_MAX) {
      return refuse(
          Reason.INVALID, "name", "must have 1 to " + KeyRing.NAME_LENGTH_MAX + " characters");
    }
    if (create.scopes().isEmpty()) {
      return refuse(Reason.INVALID, "scopes", "must name at least one scope");
    }
    Instant expiresAt = create.expiresAt();
    if (expiresAt != null && !expiresAt.isAfter(now)) {
      return refuse(Reason.INVALID, "expires_at", "must be in the future");
    }
    if (tenant.keys().liveAt(now).size() >= KeyRing.KEYS_MAX) {
      return tooManyKeys();
    }
    KeyEntry key =
        new KeyEntry(
            create.key().id(),
            create.key().secretSha256(),
            create.name(),
            create.scopes(),
            now,
            expiresAt,
            create.limits(),
            List.of());
    return write(
        List.of(new TenantEvent.KeyCreated(id(), create.requestId(), now, key)),
        _ -> new TenantReply.KeyCreated(key));
  }

  private Decision changeKey(TenantCommand.ChangeKey change) {
    KeyEntry key = tenant.keys().live(change.keyId(), now);
    if (key == null) {
      return noKey(change.keyId());
    }
    return switch (KeyReader.merge(key, change.patch())) {
      case Checked.Bad<KeyEntry>(List<FieldError> errors) ->
          refuse(Reason.INVALID, errors.getFirst().field(), errors.getFirst().message());
      case Checked.Good<KeyEntry>(KeyEntry changed) ->
          changed.equals(key) || tenant.hasHandled(change.requestId())
              ? answer(new TenantReply.KeyChanged(key))
              : write(
                  List.of(new TenantEvent.KeyChanged(id(), change.requestId(), now, changed)),
                  _ -> new TenantReply.KeyChanged(changed));
    };
  }

  private Decision markBudget(TenantCommand.MarkBudget command) {
    BudgetMark mark = command.mark();
    return tenant.marks().stream().anyMatch(reached -> reached.mark().equals(mark))
        ? answer(profileIs(tenant))
        : write(
            List.of(new TenantEvent.BudgetMarked(id(), command.requestId(), now, mark)),
            this::profileIs);
  }

  private Decision revokeKey(TenantCommand.RevokeKey revoke) {
    if (tenant.hasHandled(revoke.requestId())) {
      return answer(new TenantReply.KeyRevoked(revoke.keyId()));
    }
    if (tenant.keys().live(revoke.keyId(), now) == null) {
      return noKey(revoke.keyId());
    }
    return write(
        List.of(new TenantEvent.KeyRevoked(id(), revoke.requestId(), now, revoke.keyId())),
        _ -> new TenantReply.KeyRevoked(revoke.keyId()));
  }

  private Decision rotateKey(TenantCommand.RotateKey rotate) {
    KeyEntry there = tenant.keys().entries().get(rotate.replacement().id());
    if (there != null && there.secretSha256().equals(rotate.replacement().secretSha256())) {
      return answer(new TenantReply.KeyRotated(tenant.keys().live(rotate.keyId(), now), there));
    }
    KeyEntry old = tenant.keys().live(rotate.keyId(), now);
    if (old == null || there != null || tenant.hasHandled(rotate.requestId())) {
      return noKey(rotate.keyId());
    }
    if (tenant.keys().retiring().contains(old.id())) {
      return refuse(
          Reason.KEY_ROTATED, null, "the key " + old.id() + " was rotated and is in its grace");
    }
    if (rotate.graceSeconds() < 0 || rotate.graceSeconds() > KeyRing.GRACE_MAX.toSeconds()) {
      return refuse(
          Reason.INVALID,
          "grace_seconds",
          "must be between 0 and " + KeyRing.GRACE_MAX.toSeconds());
    }
    if (rotate.graceSeconds() > 0 && tenant.keys().liveAt(now).size() >= KeyRing.KEYS_MAX) {
      return tooManyKeys();
    }
    KeyEntry key = old.successor(rotate.replacement(), now, KeyRing.expiryAfter(old, now));
    Instant graceEnd = now.plusSeconds(rotate.graceSeconds());
    Instant expiresAt = old.expiresAt();
    Instant oldExpiresAt = expiresAt != null && expiresAt.isBefore(graceEnd) ? expiresAt : graceEnd;
    return write(
        List.of(
            new TenantEvent.KeyRotated(id(), rotate.requestId(), now, old.id(), oldExpiresAt, key)),
        after -> new TenantReply.KeyRotated(after.keys().live(old.id(), now), key));
  }

  private Decision putPrompt(TenantCommand.PutPrompt put) {
    PromptTemplate newest = tenant.prompts().newest(put.name());
    if (tenant.hasHandled(put.requestId())) {
      return newest == null ? noPrompt(put.name()) : answer(new TenantReply.PromptSaved(newest));
    }
    if (!PromptShelf.isName(put.name())) {
      return refuse(Reason.INVALID, "name", "must be 1 to 64 letters, digits, '.', '-' and '_'");
    }
    if (put.template().isBlank() || put.template().length() > PromptShelf.TEMPLATE_LENGTH_MAX) {
      return refuse(
          Reason.INVALID,
          "template",
          "must have 1 to " + PromptShelf.TEMPLATE_LENGTH_MAX + " characters");
    }
    String description = put.description();
    if (description != null && description.length() > PromptShelf.DESCRIPTION_LENGTH_MAX) {
      return refuse(
          Reason.INVALID,
          "description",
          "must have at most " + PromptShelf.DESCRIPTION_LENGTH_MAX + " characters");
    }
    PromptRenderer.Fault fault = PromptRenderer.check(put.template());
    if (fault != null) {
      return refuse(Reason.INVALID, "template", fault.message());
    }
    if (newest == null && tenant.prompts().histories().size() >= PromptShelf.PROMPTS_MAX) {
      return tooManyPrompts("name");
    }
    return write(
        List.of(saved(put.requestId(), put.name(), put.template(), description)),
        after -> new TenantReply.PromptSaved(requireNonNull(after.prompts().newest(put.name()))));
  }

  private Decision deletePrompt(TenantCommand.DeletePrompt delete) {
    if (tenant.hasHandled(delete.requestId())) {
      return answer(new TenantReply.PromptDeleted(delete.name()));
    }
    if (tenant.prompts().newest(delete.name()) == null) {
      return noPrompt(delete.name());
    }
    return write(
        List.of(new TenantEvent.PromptDeleted(id(), delete.requestId(), now, delete.name())),
        _ -> new TenantReply.PromptDeleted(delete.name()));
  }

  private Decision promptVersions(TenantCommand.GetPromptVersions get) {
    PromptShelf.History history = tenant.prompts().histories().get(get.name());
    return history == null
        ? noPrompt(get.name())
        : answer(new TenantReply.PromptVersions(history.versions().reversed()));
  }

  private TenantReply onboarded(Tenant after, @Nullable String keyId) {
    return new TenantReply.Onboarded(profile(after), keyId != null, keyId, provisioned(after));
  }

  /** Only what is really there from now on. */
  private static List<String> provisioned(Tenant tenant) {
    List<String> provisioned = new ArrayList<>(List.of("keys", "limits"));
    if (!tenant.prompts().histories().isEmpty()) {
      provisioned.add("prompts");
    }
    provisioned.add("store:" + TenantSpec.DEFAULT_STORE);
    provisioned.add("routes");
    if (!tenant.spec().cache().mode().equals("off")) {
      provisioned.add("cache");
    }
    return provisioned;
  }

  private TenantReply offboarded(Tenant after) {
    Tenant.Ending ending = requireNonNull(after.ending());
    return new TenantReply.Offboarded(
        id(), ending.at(), ending.keysRevoked(), ending.promptsErased());
  }

  private TenantReply profileIs(Tenant after) {
    return new TenantReply.ProfileIs(profile(after));
  }

  private TenantProfile profile(Tenant after) {
    return requireNonNull(after.profile(defaultPlan));
  }

  private Decision noKey(String keyId) {
    return refuse(Reason.KEY_NOT_FOUND, null, "there is no key " + keyId);
  }

  private Decision noPrompt(String name) {
    return refuse(Reason.PROMPT_NOT_FOUND, null, "there is no prompt " + name);
  }

  private Decision tooManyKeys() {
    return refuse(
        Reason.TOO_MANY,
        null,
        "a tenant has at most " + KeyRing.KEYS_MAX + " keys: revoke one first");
  }

  private Decision tooManyPrompts(String param) {
    return refuse(
        Reason.TOO_MANY,
        param,
        "a tenant has at most " + PromptShelf.PROMPTS_MAX + " prompts: delete one first");
  }

  private Decision write(List<TenantEvent> events, Function<Tenant, TenantReply> reply) {
    Tenant after = tenant;
    for (TenantEvent event : events) {
      after = after.apply(event);
    }
    return new Decision(events, after, reply.apply(after));
  }

  private Decision answer(TenantReply reply) {
    return new Decision(List.of(), tenant, reply);
  }

  private Decision refuse(Reason reason, @Nullable String param, String message) {
    return answer(new TenantReply.Refused(reason, param, message));
  }

  private TenantId id() {
    return tenant.id();
  }
}
