package dev.rowhouse.serving;

import com.typesafe.config.Config;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.TenantId;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * What a gateway refuses by itself: requests of a tenant that has just been refused for a limit
 * which stays reached until a known time. So a flood beyond a limit costs neither an actor nor a
 * message to anything that tenants share.
 *
 * <p>A refusal is remembered for the very key that got it, secret included: whoever has another key
 * or a wrong secret is sent on, and hears what the tenant's actor says of it. It is repeated, with
 * the time that is left, to requests that would be refused for the same limit:
 *
 * <ul>
 *   <li>requests per minute: to each request;
 *   <li>tokens per minute, and budgets: to each that asks the same model for at least as much. What
 *       is in flight may settle below its estimate and make room before the reset, so while
 *       something is, the tenant's actor is asked again each second.
 * </ul>
 *
 * <p>It ends at the reset; after {@code throttle.at-most}; when the tenant's settings change, of
 * which its actor tells each gateway that it told a reset ({@link Forget}); and when the catalog
 * changes, which holds the plans. The tenant's actor is the only one that notes and forgets, by
 * messages to this node's {@link #behavior}, so a change never overtakes the refusal before it.
 *
 * <p>Any thread may ask; what is remembered is bounded, the oldest goes first.
 */
public final class Throttle {
  /** How long what may end any moment is believed. */
  static final long UNSURE_MILLIS = 1_000;

  private final int entriesMax;
  private final long atMostMillis;
  private final Map<Key, Entry> entries = new ConcurrentHashMap<>();

  /** The keys of {@code entries} by age and by tenant; for the writer, under this object's lock. */
  private final Map<Key, Long> ages = new LinkedHashMap<>();

  private final Map<TenantId, Set<Key>> keysOf = new HashMap<>();
  private final LongAdder refused = new LongAdder();

  /**
   * A throttle that remembers nothing yet.
   *
   * @param entriesMax refusals that are remembered
   * @param atMostMillis how long one is believed
   */
  Throttle(int entriesMax, long atMostMillis) {
    this.entriesMax = entriesMax;
    this.atMostMillis = atMostMillis;
  }

  /** As {@code rowhouse.serving.throttle} says. */
  public static Throttle of(Config root) {
    Config config = root.getConfig("rowhouse.serving.throttle");
    return new Throttle(config.getInt("entries-max"), config.getDuration("at-most").toMillis());
  }

  /** What a tenant's actor tells a gateway. */
  public sealed interface Notice {}

  /** That request was refused until a reset. */
  public record Until(TenantId tenant, Need need, Refusal refusal, LimitsView limits)
      implements Notice {}

  /** The tenant's limits are others now, or it is another's turn to say what they are. */
  public record Forget(TenantId tenant) implements Notice {}

  /**
   * What a request needs, as far as a gateway knows it.
   *
   * @param model the name that it asks for; absent: the tenant's default
   * @param outputTokensMax absent: as many as the tenant's answers usually have
   */
  public record Need(
      Ask.Credential key,
      @Nullable String model,
      long inputTokens,
      @Nullable Long outputTokensMax) {

    static Need of(Ask ask) {
      return new Need(ask.key(), ask.modelAsked(), ask.inputTokens(), ask.outputTokensMax());
    }

    /** An answer is reserved at what is declared or at what is usual, whichever is less. */
    boolean isAtLeast(Need other) {
      Long mine = outputTokensMax;
      Long others = other.outputTokensMax;
      return inputTokens >= other.inputTokens
          && (mine == null || (others != null && mine >= others));
    }
  }

  /** The limits whose reset is a matter of time alone, or nearly. */
  private enum Limit {
    REQUESTS,
    TOKENS,
    BUDGET;

    static @Nullable Limit of(Refusal refusal) {
      return switch (refusal.code()) {
        case "rate_limit_exceeded" -> REQUESTS;
        case "tokens_exceeded" -> TOKENS;
        case "budget_exhausted" -> BUDGET;
        // Concurrency and queue change any moment; the rest is no limit.
        default -> null;
      };
    }
  }

  private record Key(TenantId tenant, Ask.Credential credential, Limit limit, String model) {
    static Key of(TenantId tenant, Need need, Limit limit) {
      String asked = need.model() == null ? "" : need.model();
      return new Key(tenant, need.key(), limit, limit == Limit.REQUESTS ? "" : asked);
    }
  }

  private record Entry(
      Need need,
      Refusal refusal,
      LimitsView limits,
      long catalogVersion,
      long notedMillis,
      long untilMillis) {}

  /** Whether a refusal is one that a gateway can repeat by itself. */
  static boolean isRepeatable(Refusal refusal) {
    return refusal.httpStatus() == 429 && refusal.resetMillis() > 0 && Limit.of(refusal) != null;
  }

  /**
   * The answer to a request that need not be sent on; null: send it on.
   *
   * @param catalogVersion of this node's copy
   */
  public Answer.@Nullable Refused refuse(
      TenantId tenant, Ask ask, long catalogVersion, long nowMillis) {
    if (entries.isEmpty()) {
      return null;
    }
    Need need = Need.of(ask);
    for (Limit limit : Limit.values()) {
      Entry entry = entries.get(Key.of(tenant, need, limit));
      if (entry != null
          && nowMillis < entry.untilMillis
          && catalogVersion == entry.catalogVersion
          && (limit == Limit.REQUESTS || need.isAtLeast(entry.need))) {
        refused.increment();
        long passed = Math.max(0, nowMillis - entry.notedMillis);
        return new Answer.Refused(
            ask.attempt(), entry.refusal.after(passed), entry.limits.after(passed));
      }
    }
    return null;
  }

  /** Requests that were refused here so far. */
  public long refusedCount() {
    return refused.sum();
  }

  /** The actor through which tenants' actors reach this throttle. */
  public Behavior<Notice> behavior(InstantSource clock, CatalogReplica catalog) {
    return Behaviors.receiveMessage(
        notice -> {
          switch (notice) {
            case Until until -> note(until, catalog.current().version(), clock.millis());
            case Forget forget -> forget(forget.tenant());
          }
          return Behaviors.same();
        });
  }

  synchronized void note(Until until, long catalogVersion, long nowMillis) {
    Refusal refusal = until.refusal();
    Limit limit = Limit.of(refusal);
    if (limit == null || !isRepeatable(refusal)) {
      return;
    }
    boolean unsure = limit != Limit.REQUESTS && until.limits().hasInFlight();
    long atMost = unsure ? Math.min(UNSURE_MILLIS, atMostMillis) : atMostMillis;
    long untilMillis = nowMillis + Math.min(refusal.resetMillis(), atMost);
    Key key = Key.of(until.tenant(), until.need(), limit);
    remove(key);
    makeRoom(nowMillis);
    ages.put(key, untilMillis);
    keysOf.computeIfAbsent(until.tenant(), _ -> new HashSet<>()).add(key);
    entries.put(
        key,
        new Entry(until.need(), refusal, until.limits(), catalogVersion, nowMillis, untilMillis));
  }

  synchronized void forget(TenantId tenant) {
    for (Key key : Set.copyOf(keysOf.getOrDefault(tenant, Set.of()))) {
      remove(key);
    }
  }

  int size() {
    return entries.size();
  }

  /** What is over goes first, then the oldest. */
  private void makeRoom(long nowMillis) {
    if (ages.size() < entriesMax) {
      return;
    }
    for (Map.Entry<Key, Long> age : Map.copyOf(ages).entrySet()) {
      if (age.getValue() <= nowMillis) {
        remove(age.getKey());
      }
    }
    Iterator<Key> oldest = ages.keySet().iterator();
    if (ages.size() >= entriesMax && oldest.hasNext()) {
      remove(oldest.next());
    }
  }

  private void remove(Key key) {
    entries.remove(key);
    ages.remove(key);
    Set<Key> others = keysOf.get(key.tenant());
    if (others != null) {
      others.remove(key);
      if (others.isEmpty()) {
        keysOf.remove(key.tenant());
      }
    }
  }
}
