package dev.rowhouse.serving;

import dev.rowhouse.fairness.Terms;
import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.KeyEntry;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageRecord;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The desk at which a tenant's requests are admitted: pure, with the time passed in.
 *
 * <p>A request passes, in this order: key, status, model (unknown before forbidden), prompt,
 * concurrency, requests per minute, tokens per minute, the month's tokens and money, the queue.
 * What it may cost is reserved by estimate when it is admitted and corrected to what it did cost
 * when it is settled, in the second in which it was reserved. Refused requests use nothing up.
 *
 * <p>States of a request here: waiting (for a slot) -> running -> settled (gone); waiting -> left
 * (gone, its reservation given back).
 */
final class Desk {
  /** A plan has all of these; this is for one of an older version that lacks some. */
  private static final Limits WHAT_A_PLAN_LACKS = new Limits(60L, 20_000L, 4L, null, null, 16L);

  private final Meter meter;

  /** Of keys that were used, by {@link KeyEntry#meter}. */
  private final Map<String, Meter> keyMeters = new HashMap<>();

  private final Map<String, InFlight> inFlight = new HashMap<>();
  private final WaitingRoom waiting = new WaitingRoom();
  private final OutputEstimates estimates = new OutputEstimates();
  private ZoneId zone;
  private Map<String, LedgerReply.KeyUsed> usedByKeys = Map.of();
  private TenantProfile profile;
  private final CatalogReplica catalog;
  private final HouseCatalog house;
  private final double smallCostMax;
  private long arrivals;

  /**
   * Without any request.
   *
   * @param zone in which the tenant's months begin and end
   * @param smallCostMax a request is small when its estimate is not above so many weighted tokens
   */
  Desk(
      TenantProfile profile,
      ZoneId zone,
      CatalogReplica catalog,
      HouseCatalog house,
      double smallCostMax) {
    this.profile = profile;
    this.zone = zone;
    this.meter = new Meter(null, zone);
    this.catalog = catalog;
    this.house = house;
    this.smallCostMax = smallCostMax;
  }

  /** What admission says. */
  sealed interface Decision {
    record Accepted(InFlight request) implements Decision {}

    /** The same attempt came again; it stands where it stood. */
    record Known(InFlight request) implements Decision {}

    record Refused(Refusal refusal) implements Decision {}
  }

  void profile(TenantProfile changed) {
    profile = changed;
    keyMeters
        .keySet()
        .removeIf(
            name -> changed.keys().values().stream().noneMatch(it -> it.meter().equals(name)));
  }

  TenantProfile profile() {
    return profile;
  }

  /** Continues from what the ledger says was used, so that a restart gives no fresh quota. */
  void resume(LedgerReply.Opened opened, long nowMillis) {
    meter.restore(opened.lastMinute(), opened.month(), nowMillis);
    usedByKeys = opened.keys();
    estimates.resume(opened.answerTokens());
  }

  /**
   * The months are those of another time zone from now on.
   *
   * @param opened what the ledger knows in that zone
   * @param unwritten records that are not in it
   */
  void resumeIn(
      ZoneId other, LedgerReply.Opened opened, List<UsageRecord> unwritten, long nowMillis) {
    zone = other;
    usedByKeys = opened.keys();
    meter.restoreMonth(other, List.of(opened.month()), unwritten, nowMillis);
    keyMeters.forEach(
        (name, ofKey) -> {
          Set<String> ids = idsOf(name);
          ofKey.restoreMonth(
              other,
              opened.keys().entrySet().stream()
                  .filter(it -> ids.contains(it.getKey()))
                  .map(it -> it.getValue().month())
                  .toList(),
              unwritten.stream().filter(it -> ids.contains(it.keyId())).toList(),
              nowMillis);
        });
  }

  ZoneId zone() {
    return zone;
  }

  /** The no to a key, or null when it may do what the scope says. */
  @Nullable Refusal authorize(Ask.Credential credential, Scope scope, long nowMillis) {
    KeyEntry key = profile.keys().get(credential.keyId());
    if (key == null
        || key.isExpired(Instant.ofEpochMilli(nowMillis))
        || !MessageDigest.isEqual(
            key.secretSha256().getBytes(StandardCharsets.US_ASCII),
            credential.secretSha256().getBytes(StandardCharsets.US_ASCII))
        || profile.status() == TenantProfile.Status.OFFBOARDED) {
      return Refusals.invalidKey();
    }
    if (profile.status() == TenantProfile.Status.SUSPENDED) {
      return Refusal.of(
          403, "tenant_suspended", "This tenant is suspended. Ask the operator to resume it.");
    }
    if (!key.scopes().contains(scope)) {
      return Refusal.of(
          403,
          "insufficient_scope",
          "This key does not have the scope " + scope.label() + ". Use a key that has it.");
    }
    return null;
  }

  Decision admit(Ask ask, ActorRef<Object> gateway, long nowMillis) {
    InFlight known = inFlight.get(ask.attempt());
    if (known != null) {
      return new Decision.Known(known);
    }
    Refusal refusal = authorize(ask.key(), Scope.INFERENCE, nowMillis);
    if (refusal != null) {
      return new Decision.Refused(refusal);
    }
    Route route;
    switch (Route.choose(ask, profile, catalog.current())) {
      case Route.Choice.None none -> {
        return new Decision.Refused(none.refusal());
      }
      case Route.Choice.Found found -> route = found.route();
    }
    long output = estimates.reserved(route.model().name(), ask.outputTokensMax());
    long estimate = ask.inputTokens() + output;
    long costMicros = costMicros(route.model(), ask.inputTokens(), output);
    KeyEntry key = Objects.requireNonNull(profile.keys().get(ask.key().keyId()));
    Meter ofKey = meterOf(key, nowMillis);
    refusal = meter.refusal(limits(), null, estimate, costMicros, nowMillis);
    Limits own = key.limits();
    if (refusal == null && own != null) {
      refusal = ofKey.refusal(own, key.id(), estimate, costMicros, nowMillis);
    }
    if (refusal != null) {
      return new Decision.Refused(refusal);
    }
    List<Meter.Hold> holds =
        List.of(
            meter.hold(estimate, costMicros, nowMillis),
            ofKey.hold(estimate, costMicros, nowMillis));
    return new Decision.Accepted(enter(ask, route, gateway, estimate, holds));
  }

  /**
   * Takes on a request that an earlier incarnation has admitted: whatever the limits are now, it is
   * in flight. Null when it is known, or its model is gone.
   */
  @Nullable InFlight adopt(Ask ask, ActorRef<Object> gateway, long nowMillis) {
    if (inFlight.containsKey(ask.attempt())
        || !(Route.choose(ask, profile, catalog.current())
            instanceof Route.Choice.Found(Route route))) {
      return null;
    }
    long output = estimates.reserved(route.model().name(), ask.outputTokensMax());
    long estimate = ask.inputTokens() + output;
    long costMicros = costMicros(route.model(), ask.inputTokens(), output);
    List<Meter.Hold> holds = new ArrayList<>(2);
    holds.add(meter.adopt(estimate, costMicros, ask.receivedAtMillis(), nowMillis));
    KeyEntry key = profile.keys().get(ask.key().keyId());
    if (key != null) {
      holds.add(
          meterOf(key, nowMillis).adopt(estimate, costMicros, ask.receivedAtMillis(), nowMillis));
    }
    return enter(ask, route, gateway, estimate, List.copyOf(holds));
  }

  private InFlight enter(
      Ask ask, Route route, ActorRef<Object> gateway, long estimate, List<Meter.Hold> holds) {
    double fairCost = fairCost(ask, route.model());
    InFlight request =
        new InFlight(
            ask, route, gateway, arrivals++, estimate, holds, fairCost, fairCost <= smallCostMax);
    inFlight.put(ask.attempt(), request);
    return request;
  }

  /**
   * The no of the queue, asked only when no slot is at hand: it is full, or what is before the
   * request will take longer than the request may wait.
   */
  @Nullable Refusal noPlace(InFlight request, long nowMillis) {
    long limit = Objects.requireNonNull(limits().queueLength());
    if (waiting.size() >= limit) {
      return Refusal.until(
          429,
          "queue_full",
          Refusals.limit("queue_length", limit, waiting.size(), Refusals.QUEUE_RETRY_MILLIS),
          Refusals.QUEUE_RETRY_MILLIS);
    }
    long expected = waiting.expectedWaitMillis(request, nowMillis);
    long allowed =
        Math.min(
                request.ask.deadlineMillis(), request.ask.receivedAtMillis() + queueTimeoutMillis())
            - nowMillis;
    return expected > 0 && expected > allowed
        ? Refusals.tooLate(expected, Math.max(0, allowed))
        : null;
  }

  /** The no to a request that has waited for as long as its plan allows. */
  Refusal waitedInVain(InFlight request, long nowMillis) {
    return waiting.isServedByNobody(request.pool(), nowMillis)
        ? Refusals.noCapacity(
            "No worker serves the model " + request.model.name() + " at the moment.")
        : Refusals.queueTimeout(nowMillis - request.ask.receivedAtMillis());
  }

  /** Those that were admitted and wait for a slot. */
  WaitingRoom waiting() {
    return waiting;
  }

  @Nullable InFlight find(String attempt) {
    return inFlight.get(attempt);
  }

  /** The request of a run that is lost goes on as another attempt; null when it is not known. */
  @Nullable InFlight retry(String lost, Ask next, ActorRef<Object> gateway) {
    InFlight request = inFlight.remove(lost);
    if (request == null) {
      return null;
    }
    waiting.remove(request);
    InFlight again = request.as(next, gateway);
    inFlight.put(next.attempt(), again);
    return again;
  }

  /**
   * A request whose pool nobody serves goes to the first of its models to fall back to that
   * somebody may serve, with its turn; its own model is the last resort then. Null when there is
   * none such.
   */
  @Nullable InFlight elsewhere(InFlight request, long nowMillis) {
    if (!waiting.isServedByNobody(request.pool(), nowMillis)) {
      return null;
    }
    for (ModelSpec other : request.fallbacks) {
      if (!waiting.isServedByNobody(other.name(), nowMillis)) {
        double cost = fairCost(request.ask, other);
        InFlight moved = request.by(other, cost, cost <= smallCostMax);
        waiting.remove(request);
        inFlight.put(request.attempt(), moved);
        return moved;
      }
    }
    return null;
  }

  /** A request that was not admitted after all: it has used nothing, its request neither. */
  void withdraw(InFlight request, long nowMillis) {
    if (inFlight.remove(request.attempt()) != null) {
      waiting.remove(request);
      request.holds.forEach(hold -> hold.withdraw(nowMillis));
    }
  }

  /** A request that ends without a run: what it reserved is given back, its request counts. */
  @Nullable InFlight leave(String attempt, long nowMillis) {
    InFlight request = inFlight.remove(attempt);
    if (request != null) {
      waiting.remove(request);
      request.holds.forEach(hold -> hold.settle(0, 0, nowMillis));
    }
    return request;
  }

  /**
   * What a run spent takes the place of what was reserved for it. Also right for a run that this
   * desk has never admitted, as after a restart.
   */
  @Nullable InFlight settle(UsageRecord record, long nowMillis) {
    InFlight request = inFlight.remove(record.attempt());
    if (request == null) {
      meter.spend(record.tokens(), record.costMicros(), record.timeMillis(), nowMillis);
      KeyEntry key = profile.keys().get(record.keyId());
      if (key != null) {
        meterOf(key, nowMillis)
            .spend(record.tokens(), record.costMicros(), record.timeMillis(), nowMillis);
      }
      return null;
    }
    waiting.remove(request);
    request.holds.forEach(hold -> hold.settle(record.tokens(), record.costMicros(), nowMillis));
    estimates.learn(request.pool(), record.outputTokens());
    return request;
  }

  /** Parts of budgets that were reached since this was asked last, by this key or in all. */
  List<BudgetMark> marks(String keyId, long nowMillis) {
    List<BudgetMark> reached = new ArrayList<>(meter.marks(limits(), nowMillis));
    KeyEntry key = profile.keys().get(keyId);
    Limits own = key == null ? null : key.limits();
    if (key != null && own != null) {
      reached.addAll(meterOf(key, nowMillis).marks(own, nowMillis));
    }
    return reached;
  }

  /** Requests whose gateway must have given up before that time. */
  List<InFlight> overdue(long beforeMillis) {
    List<InFlight> found = new ArrayList<>();
    for (InFlight request : inFlight.values()) {
      if (request.ask.deadlineMillis() < beforeMillis) {
        found.add(request);
      }
    }
    return found;
  }

  /** On what terms this tenant shares a pool. */
  Terms terms(String pool) {
    // Models that embed are for everybody: nothing of them is reserved.
    ModelSpec model = catalog.current().model(pool);
    boolean reserves = model == null || !model.isEmbedder();
    long concurrent = Objects.requireNonNull(limits().concurrentRequests());
    return new Terms(
        weight(),
        reserves ? profile.reservationSlots() : 0,
        reserves ? profile.reservationShare() : 0,
        (int) Math.min(Integer.MAX_VALUE, concurrent));
  }

  boolean isIdle() {
    return inFlight.isEmpty();
  }

  int inFlightCount() {
    return inFlight.size();
  }

  double weight() {
    Double own = profile.weight();
    return own != null ? own : plan().weight();
  }

  long queueTimeoutMillis() {
    return plan().queueTimeoutMillis();
  }

  Catalog catalog() {
    return catalog.current();
  }

  /** The limits that requests with this key meet. */
  LimitsView view(String keyId, long nowMillis) {
    KeyEntry key = profile.keys().get(keyId);
    Limits own = key == null ? null : key.limits();
    return new LimitsView(
        meter.rows(limits(), nowMillis),
        new LimitsView.Row(Objects.requireNonNull(limits().queueLength()), waiting.size(), 0),
        keyId,
        key == null || own == null ? null : meterOf(key, nowMillis).rows(own, nowMillis));
  }

  LimitsView view(InFlight request, long nowMillis) {
    return view(request.ask.key().keyId(), nowMillis);
  }

  /** Money in millionths of the price unit; a price is per million tokens, so it is a product. */
  static long costMicros(ModelSpec model, long inputTokens, long outputTokens) {
    return Math.round(
        inputTokens * model.inputPerMillion() + outputTokens * model.outputPerMillion());
  }

  /**
   * The meter of a key and of those it took the place of. It is there from the first use on, also
   * without limits, so that a limit which is set later counts what was used before.
   */
  private Meter meterOf(KeyEntry key, long nowMillis) {
    Meter known = keyMeters.get(key.meter());
    if (known != null) {
      return known;
    }
    Meter made = new Meter(key.meter(), zone);
    for (String id : idsOf(key.meter())) {
      LedgerReply.KeyUsed used = usedByKeys.get(id);
      if (used != null) {
        made.restore(used.lastMinute(), used.month(), nowMillis);
      }
    }
    keyMeters.put(key.meter(), made);
    return made;
  }

  /** The keys that count on that meter, those of the past included. */
  private Set<String> idsOf(String meterName) {
    Set<String> ids = new HashSet<>();
    for (KeyEntry key : profile.keys().values()) {
      if (key.meter().equals(meterName)) {
        ids.add(key.id());
        ids.addAll(key.replaced());
      }
    }
    return ids;
  }

  private double fairCost(Ask ask, ModelSpec model) {
    double output = estimates.charged(model.estimator(), model.name(), ask.outputTokensMax());
    return model.inputWeight() * ask.inputTokens() + model.outputWeight() * output;
  }

  private Plan plan() {
    return house.planOf(profile.plan(), catalog.current());
  }

  private Limits limits() {
    return profile.limits().orElse(plan().limits()).orElse(WHAT_A_PLAN_LACKS);
  }
}
