package dev.rowhouse.serving;

import dev.rowhouse.fairness.Terms;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.KeyEntry;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.PromptTemplate;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.usage.LedgerReply;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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

  private final SlidingWindow requests = new SlidingWindow();
  private final SlidingWindow tokens = new SlidingWindow();
  private final Map<String, InFlight> inFlight = new HashMap<>();
  private final WaitingRoom waiting = new WaitingRoom();
  private final OutputEstimates estimates = new OutputEstimates();
  private final MonthBudget budget = new MonthBudget();
  private TenantProfile profile;
  private final CatalogReplica catalog;
  private final HouseCatalog house;
  private final double smallCostMax;
  private long arrivals;

  /**
   * Without any request.
   *
   * @param smallCostMax a request is small when its estimate is not above so many weighted tokens
   */
  Desk(TenantProfile profile, CatalogReplica catalog, HouseCatalog house, double smallCostMax) {
    this.profile = profile;
    this.catalog = catalog;
    this.house = house;
    this.smallCostMax = smallCostMax;
  }

  /** A request between admission and settlement. */
  static final class InFlight {
    final Ask ask;
    final ModelSpec model;
    final List<ModelSpec> fallbacks;
    final @Nullable PromptTemplate prompt;
    final ActorRef<Object> gateway;
    final long arrival;
    final long reservedSecond;
    final long reservedTokens;
    final long reservedCostMicros;

    /** Weighted tokens that it is expected to cost in fair sharing. */
    final double fairCost;

    final boolean isSmall;
    boolean running;
    Verdict.@Nullable Go go;

    InFlight(
        Ask ask,
        Route route,
        ActorRef<Object> gateway,
        long arrival,
        long reservedSecond,
        long reservedTokens,
        long reservedCostMicros,
        double fairCost,
        boolean isSmall) {
      this.ask = ask;
      this.model = route.model();
      this.fallbacks = route.fallbacks();
      this.prompt = route.prompt();
      this.gateway = gateway;
      this.arrival = arrival;
      this.reservedSecond = reservedSecond;
      this.reservedTokens = reservedTokens;
      this.reservedCostMicros = reservedCostMicros;
      this.fairCost = fairCost;
      this.isSmall = isSmall;
    }

    String attempt() {
      return ask.attempt();
    }

    String pool() {
      return model.name();
    }

    static int inTurn(InFlight a, InFlight b) {
      int byPriority = Integer.compare(b.ask.priority(), a.ask.priority());
      if (byPriority != 0) {
        return byPriority;
      }
      int byDeadline = Long.compare(a.ask.deadlineMillis(), b.ask.deadlineMillis());
      return byDeadline != 0 ? byDeadline : Long.compare(a.arrival, b.arrival);
    }
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
  }

  TenantProfile profile() {
    return profile;
  }

  /** Continues from what the ledger says was used, so that a restart gives no fresh quota. */
  void resume(LedgerReply.Opened opened, long nowMillis) {
    requests.add(opened.lastMinuteRequests(), nowMillis);
    tokens.add(opened.lastMinuteTokens(), nowMillis);
    // What was settled while the ledger was read is not in it.
    budget.spend(opened.month().tokens(), opened.month().costMicros(), nowMillis);
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
    String model = route.model().name();
    long output = estimates.reserved(model, ask.outputTokensMax());
    long estimate = ask.inputTokens() + output;
    long costMicros = costMicros(route.model(), ask.inputTokens(), output);
    refusal = overLimit(estimate, costMicros, nowMillis);
    if (refusal != null) {
      return new Decision.Refused(refusal);
    }
    requests.add(1, nowMillis);
    long second = tokens.add(estimate, nowMillis);
    double fairCost = fairCost(ask, route.model());
    InFlight request =
        new InFlight(
            ask,
            route,
            gateway,
            arrivals++,
            second,
            estimate,
            costMicros,
            fairCost,
            fairCost <= smallCostMax);
    budget.reserve(estimate, costMicros);
    inFlight.put(ask.attempt(), request);
    return new Decision.Accepted(request);
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

  /** A request that was not admitted after all: it has used nothing, its request neither. */
  void withdraw(InFlight request, long nowMillis) {
    if (leave(request.attempt(), nowMillis) != null) {
      requests.correct(request.reservedSecond, -1, nowMillis);
    }
  }

  /** A request that ends without a run: what it reserved is given back, its request counts. */
  @Nullable InFlight leave(String attempt, long nowMillis) {
    InFlight request = inFlight.remove(attempt);
    if (request != null) {
      waiting.remove(request);
      release(request, 0, 0, nowMillis);
    }
    return request;
  }

  /**
   * What a run spent takes the place of what was reserved for it. Also right for a run that this
   * desk has never admitted, as after a restart.
   */
  @Nullable InFlight settle(
      String attempt, long inputTokens, long outputTokens, long costMicros, long nowMillis) {
    InFlight request = inFlight.remove(attempt);
    long spent = inputTokens + outputTokens;
    if (request == null) {
      tokens.add(spent, nowMillis);
      budget.spend(spent, costMicros, nowMillis);
      return null;
    }
    waiting.remove(request);
    release(request, spent, costMicros, nowMillis);
    estimates.learn(request.pool(), outputTokens);
    return request;
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

  LimitsView view(long nowMillis) {
    Limits limits = limits();
    return new LimitsView(
        new LimitsView.Row(
            Objects.requireNonNull(limits.requestsPerMinute()),
            requests.used(nowMillis),
            requests.millisUntilEmpty(nowMillis)),
        new LimitsView.Row(
            Objects.requireNonNull(limits.tokensPerMinute()),
            tokens.used(nowMillis),
            tokens.millisUntilEmpty(nowMillis)),
        new LimitsView.Row(Objects.requireNonNull(limits.concurrentRequests()), inFlight.size(), 0),
        new LimitsView.Row(Objects.requireNonNull(limits.queueLength()), waiting.size(), 0),
        budget.tokensRow(limits, nowMillis),
        budget.spendRow(limits, nowMillis));
  }

  /** Money in millionths of the price unit; a price is per million tokens, so it is a product. */
  static long costMicros(ModelSpec model, long inputTokens, long outputTokens) {
    return Math.round(
        inputTokens * model.inputPerMillion() + outputTokens * model.outputPerMillion());
  }

  private @Nullable Refusal overLimit(long estimate, long costMicros, long nowMillis) {
    Limits limits = limits();
    long concurrent = Objects.requireNonNull(limits.concurrentRequests());
    if (inFlight.size() >= concurrent) {
      return Refusal.until(
          429,
          "concurrency_exceeded",
          Refusals.limit(
              "concurrent_requests", concurrent, inFlight.size(), Refusals.QUEUE_RETRY_MILLIS),
          Refusals.QUEUE_RETRY_MILLIS);
    }
    long perMinute = Objects.requireNonNull(limits.requestsPerMinute());
    long wait = requests.millisUntilFits(1, perMinute, nowMillis);
    if (wait > 0) {
      return Refusal.until(
          429,
          "rate_limit_exceeded",
          Refusals.limit("requests_per_minute", perMinute, requests.used(nowMillis), wait),
          wait);
    }
    long tokensPerMinute = Objects.requireNonNull(limits.tokensPerMinute());
    wait = tokens.millisUntilFits(estimate, tokensPerMinute, nowMillis);
    if (wait > 0) {
      String message =
          Refusals.limit("tokens_per_minute", tokensPerMinute, tokens.used(nowMillis), wait)
              + " This request needs about "
              + estimate
              + " tokens.";
      return estimate > tokensPerMinute
          ? Refusal.of(429, "tokens_exceeded", message + " It can never fit: make it smaller.")
          : Refusal.until(429, "tokens_exceeded", message, wait);
    }
    return budget.refusal(limits, estimate, costMicros, nowMillis);
  }

  private double fairCost(Ask ask, ModelSpec model) {
    double output = estimates.charged(model.estimator(), model.name(), ask.outputTokensMax());
    return model.inputWeight() * ask.inputTokens() + model.outputWeight() * output;
  }

  private void release(InFlight request, long spentTokens, long costMicros, long nowMillis) {
    tokens.correct(request.reservedSecond, spentTokens - request.reservedTokens, nowMillis);
    budget.release(request.reservedTokens, request.reservedCostMicros);
    budget.spend(spentTokens, costMicros, nowMillis);
  }

  private Plan plan() {
    return house.planOf(profile.plan(), catalog.current());
  }

  private Limits limits() {
    return profile.limits().orElse(plan().limits()).orElse(WHAT_A_PLAN_LACKS);
  }
}
