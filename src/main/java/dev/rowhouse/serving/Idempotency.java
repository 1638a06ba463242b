package dev.rowhouse.serving;

import dev.rowhouse.journal.Storage;
import dev.rowhouse.serving.IdempotencyTable.Entry;
import dev.rowhouse.serving.IdempotencyTable.State;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.DataKey;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.ErasureTarget;
import dev.rowhouse.tenant.TenantId;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Requests that carry an {@code Idempotency-Key}: the first one runs, and whoever sends it again
 * gets its answer, for 24 hours, on any node and after any crash.
 *
 * <p>The first request claims the key with a row of its own before it is admitted; its answer is
 * committed to that row before its end is released. A repetition that comes meanwhile waits,
 * bounded, looking at the row. A claim whose node has left the cluster is void: a node that was
 * killed and started again is another member. What is claimed and answered is known by HMACs of key
 * and request; the answer is sealed under the tenant's data key.
 */
public final class Idempotency implements ErasureTarget {
  /** The longest key that a client may send, as OpenAI's SDKs and Stripe have it. */
  public static final int KEY_LENGTH_MAX = 255;

  private static final String HMAC = "HmacSHA256";
  private static final long RETRY_PAUSE_MILLIS = 250;

  /** What a request with a key may do. */
  public sealed interface Begin {}

  /** It is the first; its end must be told, by keep or by release. */
  public record First(Claim claim) implements Begin {}

  /** It was answered: this is the answer. */
  // The array is handed on and compared by nobody.
  @SuppressWarnings("ArrayRecordComponent")
  public record Replay(String attempt, int httpStatus, boolean stream, byte[] answer)
      implements Begin {}

  /** It may not run: another body, still running, an answer that was not kept, too many keys. */
  public record Refused(Refusal refusal) implements Begin {}

  /** A key that one request holds until its end. */
  public static final class Claim {
    private final IdempotencyTable.Key key;
    private final String attempt;

    private Claim(IdempotencyTable.Key key, String attempt) {
      this.key = key;
      this.attempt = attempt;
    }
  }

  private final IdempotencyTable table;
  private final DataKeys keys;
  private final byte[] hashKey;
  private final InstantSource clock;
  private final Executor blocking;
  private final IdempotencySettings settings;
  private final String self;
  private final Predicate<String> isMember;
  private final AtomicInteger waiting = new AtomicInteger();

  /**
   * Opens the table.
   *
   * @param self this start of this node, as no other start is called
   * @param isMember whether a node of that name is in the cluster
   */
  public Idempotency(
      Storage storage,
      DataKeys keys,
      ClusterSecret secret,
      InstantSource clock,
      Executor blocking,
      IdempotencySettings settings,
      String self,
      Predicate<String> isMember) {
    this.table = IdempotencyTable.open(storage);
    this.keys = keys;
    this.hashKey = secret.derive("idempotency");
    this.clock = clock;
    this.blocking = blocking;
    this.settings = settings;
    this.self = self;
    this.isMember = isMember;
  }

  public IdempotencySettings settings() {
    return settings;
  }

  /**
   * Claims the key, or says what became of the request that has it. A stage that fails means that
   * the database does not answer.
   *
   * @param request what a repetition must be equal in
   */
  public CompletionStage<Begin> begin(
      TenantId tenant, String keyText, byte[] request, String attempt) {
    IdempotencyTable.Key key =
        new IdempotencyTable.Key(
            tenant,
            hash("key|" + tenant + "|", keyText.getBytes(StandardCharsets.UTF_8)),
            hash("request|" + tenant + "|", request));
    return look(key, attempt, clock.millis() + settings.waitMillisMax(), settings.pollMillisMin());
  }

  private CompletableFuture<Begin> look(
      IdempotencyTable.Key key, String attempt, long untilMillis, long pauseMillis) {
    return CompletableFuture.<@Nullable Begin>supplyAsync(() -> lookNow(key, attempt), blocking)
        .thenCompose(
            begin ->
                begin != null
                    ? CompletableFuture.completedFuture(begin)
                    : lookAgain(key, attempt, untilMillis, pauseMillis));
  }

  /** Waits for the one that runs; absent from memory but for this. */
  private CompletableFuture<Begin> lookAgain(
      IdempotencyTable.Key key, String attempt, long untilMillis, long pauseMillis) {
    if (clock.millis() >= untilMillis) {
      return CompletableFuture.completedFuture(new Refused(stillRunning()));
    }
    if (waiting.incrementAndGet() > settings.waitingMax()) {
      waiting.decrementAndGet();
      return CompletableFuture.completedFuture(new Refused(stillRunning()));
    }
    return CompletableFuture.<Boolean>supplyAsync(
            () -> true,
            CompletableFuture.delayedExecutor(pauseMillis, TimeUnit.MILLISECONDS, blocking))
        .whenComplete((_, _) -> waiting.decrementAndGet())
        .thenCompose(
            _ ->
                look(
                    key,
                    attempt,
                    untilMillis,
                    Math.min(settings.pollMillisMax(), pauseMillis * 2)));
  }

  /** Absent: another request runs. */
  private @Nullable Begin lookNow(IdempotencyTable.Key key, String attempt) {
    long now = clock.millis();
    Entry there =
        table.claim(key, attempt, self, now, now + settings.keptMillis(), this::mayAnswer);
    if (there == null) {
      return first(key, attempt, now);
    }
    if (!there.requestHash().equals(key.requestHash())) {
      return new Refused(
          no(
              409,
              "idempotency_key_reused",
              "This Idempotency-Key was used with another request. Use a new key for a new"
                  + " request."));
    }
    return switch (there.state()) {
      case RUNNING -> null;
      case UNKEPT -> unkept(there);
      case WHOLE, STREAM -> replay(key.tenant(), there);
    };
  }

  private Begin first(IdempotencyTable.Key key, String attempt, long nowMillis) {
    IdempotencyTable.Use use = table.use(key.tenant(), nowMillis);
    if (use.keys() <= settings.keysPerTenantMax() && use.bytes() < settings.bytesPerTenantMax()) {
      return new First(new Claim(key, attempt));
    }
    table.release(key, attempt);
    return new Refused(
        new Refusal(
            429,
            "idempotency_keys_exceeded",
            "Limit idempotency_keys reached: "
                + settings.keysPerTenantMax()
                + " keys or "
                + settings.bytesPerTenantMax()
                + " bytes of kept answers. Send fewer keys, or none.",
            null,
            Math.max(1, use.oldestEndMillis() - nowMillis),
            false));
  }

  private boolean mayAnswer(Entry row) {
    return isMember.test(row.owner())
        && clock.millis() - row.claimedAtMillis() < settings.runningMillisMax();
  }

  private Begin replay(TenantId tenant, Entry row) {
    byte[] sealed = row.answer();
    if (sealed != null
        && keys.find(tenant) instanceof DataKeys.Held(DataKey key)
        && key.open(DataKey.Purpose.IDEMPOTENT_ANSWER, sealed) instanceof DataKey.Opened opened) {
      return new Replay(
          row.attempt(), row.httpStatus(), row.state() == State.STREAM, opened.bytes());
    }
    return unkept(row);
  }

  private static Begin unkept(Entry row) {
    return new Refused(
        no(
            409,
            "idempotency_answer_not_kept",
            "The request with this Idempotency-Key was answered as "
                + row.attempt()
                + ", and its answer was too long to be kept. It is not run again."));
  }

  private static Refusal stillRunning() {
    return new Refusal(
        409,
        "idempotency_key_in_use",
        "The request with this Idempotency-Key still runs. Send it again later for its answer.",
        "Idempotency-Key",
        Refusals.QUEUE_RETRY_MILLIS,
        true);
  }

  private static Refusal no(int status, String code, String message) {
    return new Refusal(status, code, message, "Idempotency-Key", 0, false);
  }

  /** How the end of a first request went into its row. */
  public enum Kept {
    /** Repetitions get it from now on. */
    COMMITTED,
    /** The database did not take it in time; the end must not be released. */
    FAILED
  }

  /**
   * Commits the answer; the end may be released when the stage says COMMITTED.
   *
   * @param answer absent: it is too long to be kept
   */
  public CompletionStage<Kept> keep(
      Claim claim, String answeredBy, int httpStatus, boolean stream, byte @Nullable [] answer) {
    return onceMore(
        () -> {
          byte[] sealed = answer == null ? null : seal(claim.key.tenant(), answer);
          State state = sealed == null ? State.UNKEPT : stream ? State.STREAM : State.WHOLE;
          // A key that was lost meanwhile is answered by whoever took it; this answer stands.
          table.keep(claim.key, claim.attempt, answeredBy, state, httpStatus, sealed);
          return Kept.COMMITTED;
        },
        clock.millis() + settings.commitWaitMillis());
  }

  /** Absent: the tenant was offboarded meanwhile, and nothing of it is kept. */
  private byte @Nullable [] seal(TenantId tenant, byte[] answer) {
    return switch (keys.find(tenant)) {
      case DataKeys.Held(DataKey key) -> key.seal(DataKey.Purpose.IDEMPOTENT_ANSWER, answer);
      case DataKeys.None _ -> keys.obtain(tenant).seal(DataKey.Purpose.IDEMPOTENT_ANSWER, answer);
      case DataKeys.Destroyed _ -> null;
    };
  }

  /** Lets the key go, so that the next request with it runs. */
  public CompletionStage<Kept> release(Claim claim) {
    return onceMore(
        () -> {
          table.release(claim.key, claim.attempt);
          return Kept.COMMITTED;
        },
        clock.millis() + settings.commitWaitMillis());
  }

  private CompletableFuture<Kept> onceMore(Supplier<Kept> work, long untilMillis) {
    return CompletableFuture.supplyAsync(work, blocking)
        .exceptionallyCompose(
            _ ->
                clock.millis() >= untilMillis
                    ? CompletableFuture.completedFuture(Kept.FAILED)
                    : CompletableFuture.<Boolean>supplyAsync(
                            () -> true,
                            CompletableFuture.delayedExecutor(
                                RETRY_PAUSE_MILLIS, TimeUnit.MILLISECONDS, blocking))
                        .thenCompose(_ -> onceMore(work, untilMillis)));
  }

  /** Removes what is over, in bounded transactions; blocks. */
  public int sweep() {
    int all = 0;
    int removed;
    do {
      removed = table.sweep(clock.millis(), settings.sweepRows());
      all += removed;
    } while (removed == settings.sweepRows());
    return all;
  }

  @Override
  public String name() {
    return "idempotency";
  }

  @Override
  public CompletionStage<Map<String, Long>> count(TenantId tenant) {
    return CompletableFuture.supplyAsync(
        () -> {
          IdempotencyTable.Use use = table.use(tenant, 0);
          return Map.of("idempotency_keys", use.keys(), "idempotency_answer_bytes", use.bytes());
        },
        blocking);
  }

  @Override
  public CompletionStage<?> erase(TenantId tenant) {
    return CompletableFuture.supplyAsync(() -> table.erase(tenant), blocking);
  }

  private String hash(String purpose, byte[] bytes) {
    try {
      Mac mac = Mac.getInstance(HMAC);
      mac.init(new SecretKeySpec(hashKey, HMAC));
      mac.update(purpose.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(mac.doFinal(bytes));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has " + HMAC, e);
    }
  }
}
