package dev.rowhouse.serving;

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
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
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
  /** Before anything was learned: tokens that an answer is taken to have. */
  private static final double OUTPUT_TOKENS_AT_FIRST = 256;

  /** Weight of the newest answer in the moving mean of answer lengths. */
  private static final double LEARNING_RATE = 0.1;

  /** An answer is reserved at this multiple of the mean, because a mean is short half the time. */
  private static final double RESERVE_FACTOR = 1.5;

  /** A plan has all of these; this is for one of an older version that lacks some. */
  private static final Limits WHAT_A_PLAN_LACKS = new Limits(60L, 20_000L, 4L, null, null, 16L);

  private final SlidingWindow requests = new SlidingWindow();
  private final SlidingWindow tokens = new SlidingWindow();
  private final Map<String, InFlight> inFlight = new HashMap<>();
  private final Map<String, TreeSet<InFlight>> waiting = new HashMap<>();
  private TenantProfile profile;
  private final CatalogReplica catalog;
  private final HouseCatalog house;
  private double outputTokensMean = OUTPUT_TOKENS_AT_FIRST;
  private YearMonth month = YearMonth.of(1970, 1);
  private long monthTokens;
  private long monthCostMicros;
  private long reservedTokens;
  private long reservedCostMicros;
  private long waitingCount;
  private long arrivals;

  Desk(TenantProfile profile, CatalogReplica catalog, HouseCatalog house) {
    this.profile = profile;
    this.catalog = catalog;
    this.house = house;
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
    boolean running;
    Verdict.@Nullable Go go;

    InFlight(
        Ask ask,
        Route route,
        ActorRef<Object> gateway,
        long arrival,
        long reservedSecond,
        long reservedTokens,
        long reservedCostMicros) {
      this.ask = ask;
      this.model = route.model();
      this.fallbacks = route.fallbacks();
      this.prompt = route.prompt();
      this.gateway = gateway;
      this.arrival = arrival;
      this.reservedSecond = reservedSecond;
      this.reservedTokens = reservedTokens;
      this.reservedCostMicros = reservedCostMicros;
    }

    /** The same request as another attempt: its turn and what it has reserved stay. */
    InFlight as(Ask next, ActorRef<Object> by) {
      return new InFlight(
          next,
          new Route(model, fallbacks, prompt),
          by,
          arrival,
          reservedSecond,
          reservedTokens,
          reservedCostMicros);
    }

    String attempt() {
      return ask.attempt();
    }

    String pool() {
      return model.name();
    }

    private static int inTurn(InFlight a, InFlight b) {
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
    rollMonth(nowMillis);
    // What was settled while the ledger was read is not in it.
    monthTokens += opened.month().tokens();
    monthCostMicros += opened.month().costMicros();
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
    long output = outputEstimate(ask.outputTokensMax());
    long estimate = ask.inputTokens() + output;
    long costMicros = costMicros(route.model(), ask.inputTokens(), output);
    refusal = overLimit(estimate, costMicros, nowMillis);
    if (refusal != null) {
      return new Decision.Refused(refusal);
    }
    requests.add(1, nowMillis);
    long second = tokens.add(estimate, nowMillis);
    InFlight request = new InFlight(ask, route, gateway, arrivals++, second, estimate, costMicros);
    reservedTokens += estimate;
    reservedCostMicros += costMicros;
    inFlight.put(ask.attempt(), request);
    return new Decision.Accepted(request);
  }

  /** The no of the queue, asked only when no slot is at hand. */
  @Nullable Refusal queueFull() {
    long limit = Objects.requireNonNull(limits().queueLength());
    return waitingCount >= limit
        ? Refusal.until(
            429,
            "queue_full",
            Refusals.limit("queue_length", limit, waitingCount, Refusals.QUEUE_RETRY_MILLIS),
            Refusals.QUEUE_RETRY_MILLIS)
        : null;
  }

  void enqueue(InFlight request) {
    request.running = false;
    if (waiting
        .computeIfAbsent(request.pool(), pool -> new TreeSet<>(InFlight::inTurn))
        .add(request)) {
      waitingCount++;
    }
  }

  /** The next request of a pool, in turn; it is running from now on. */
  @Nullable InFlight next(String pool) {
    TreeSet<InFlight> queue = waiting.get(pool);
    InFlight first = queue == null ? null : queue.first();
    if (first != null) {
      dequeue(first);
      first.running = true;
    }
    return first;
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
    dequeue(request);
    InFlight again = request.as(next, gateway);
    inFlight.put(next.attempt(), again);
    return again;
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
      dequeue(request);
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
      spend(spent, costMicros, nowMillis);
      return null;
    }
    dequeue(request);
    release(request, spent, costMicros, nowMillis);
    if (outputTokens > 0) {
      outputTokensMean += LEARNING_RATE * (outputTokens - outputTokensMean);
    }
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

  /** Requests that wait for longer than that, in any queue. */
  List<InFlight> waitedOver(long millis, long nowMillis) {
    List<InFlight> found = new ArrayList<>();
    for (TreeSet<InFlight> queue : waiting.values()) {
      for (InFlight request : queue) {
        if (nowMillis - request.ask.receivedAtMillis() > millis) {
          found.add(request);
        }
      }
    }
    return found;
  }

  List<String> waitingPools() {
    return List.copyOf(waiting.keySet());
  }

  int waitingIn(String pool) {
    TreeSet<InFlight> queue = waiting.get(pool);
    return queue == null ? 0 : queue.size();
  }

  /**
   * What the first in the queue is expected to cost in units of fair sharing; 0 when none waits.
   */
  double headCost(String pool) {
    TreeSet<InFlight> queue = waiting.get(pool);
    if (queue == null || queue.isEmpty()) {
      return 0;
    }
    InFlight head = queue.first();
    return head.model.cost(head.ask.inputTokens(), head.reservedTokens - head.ask.inputTokens());
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
    rollMonth(nowMillis);
    long untilMonth = millisUntilNextMonth(nowMillis);
    Long tokenBudget = limits.tokensPerMonth();
    Double spendBudget = limits.spendPerMonth();
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
        new LimitsView.Row(Objects.requireNonNull(limits.queueLength()), waitingCount, 0),
        tokenBudget == null
            ? null
            : new LimitsView.Row(tokenBudget, monthTokens + reservedTokens, untilMonth),
        spendBudget == null
            ? null
            : new LimitsView.Row(
                Math.round(spendBudget * 1e6), monthCostMicros + reservedCostMicros, untilMonth));
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
    return overBudget(limits, estimate, costMicros, nowMillis);
  }

  private @Nullable Refusal overBudget(
      Limits limits, long estimate, long costMicros, long nowMillis) {
    rollMonth(nowMillis);
    long reset = millisUntilNextMonth(nowMillis);
    Long tokenBudget = limits.tokensPerMonth();
    long used = monthTokens + reservedTokens;
    if (tokenBudget != null && used + estimate > tokenBudget) {
      return new Refusal(
          429,
          "budget_exhausted",
          Refusals.limit("tokens_per_month", tokenBudget, used, reset),
          null,
          reset,
          false);
    }
    Double spendBudget = limits.spendPerMonth();
    long spent = monthCostMicros + reservedCostMicros;
    if (spendBudget != null && spent + costMicros > spendBudget * 1e6) {
      return new Refusal(
          429,
          "budget_exhausted",
          "Limit spend_per_month reached: limit "
              + spendBudget
              + ", used "
              + spent / 1e6
              + ", resets in "
              + Refusals.duration(reset)
              + ".",
          null,
          reset,
          false);
    }
    return null;
  }

  private long outputEstimate(@Nullable Long declared) {
    long learned = Math.max(1, Math.round(outputTokensMean * RESERVE_FACTOR));
    return declared == null ? learned : Math.min(declared, learned);
  }

  private void dequeue(InFlight request) {
    TreeSet<InFlight> queue = waiting.get(request.pool());
    if (queue != null && queue.remove(request)) {
      waitingCount--;
      if (queue.isEmpty()) {
        waiting.remove(request.pool());
      }
    }
  }

  private void release(InFlight request, long spentTokens, long costMicros, long nowMillis) {
    tokens.correct(request.reservedSecond, spentTokens - request.reservedTokens, nowMillis);
    reservedTokens -= request.reservedTokens;
    reservedCostMicros -= request.reservedCostMicros;
    spend(spentTokens, costMicros, nowMillis);
  }

  private void spend(long spentTokens, long costMicros, long nowMillis) {
    rollMonth(nowMillis);
    monthTokens += spentTokens;
    monthCostMicros += costMicros;
  }

  private void rollMonth(long nowMillis) {
    YearMonth now = YearMonth.from(Instant.ofEpochMilli(nowMillis).atZone(ZoneOffset.UTC));
    if (now.isAfter(month)) {
      month = now;
      monthTokens = 0;
      monthCostMicros = 0;
    }
  }

  private long millisUntilNextMonth(long nowMillis) {
    return month.plusMonths(1).atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli()
        - nowMillis;
  }

  private Plan plan() {
    return house.planOf(profile.plan(), catalog.current());
  }

  private Limits limits() {
    return profile.limits().orElse(plan().limits()).orElse(WHAT_A_PLAN_LACKS);
  }
}
