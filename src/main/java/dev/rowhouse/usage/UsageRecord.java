package dev.rowhouse.usage;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * What one attempt spent. It holds nothing of what was asked or answered. The names in the journal
 * are short because there are many records; they never change their meaning.
 *
 * @param attempt the attempt's id, {@link AttemptId}
 * @param timeMillis when the attempt was admitted, since 1970-01-01T00:00Z; months and buckets go
 *     by it
 * @param modelAsked the model of the request; roll-ups are grouped by it
 * @param answeredBy the model that answered; empty when none did
 * @param httpStatus the status that the client got or would have got; 0 when nobody knows
 * @param errorCode a code of the HTTP contract; absent when it went well
 * @param estimated whether the tokens are our count, not the engine's
 * @param latencyMillis from admission to the end; -1 when nobody knows
 * @param timeToFirstTokenMillis from admission; -1 when there was none
 * @param queueMillis the time it waited for a slot
 * @param cache {@code miss}, or which cache answered
 * @param label the client's own request id, sealed under the tenant's data key; records of older
 *     versions have it in clear
 * @param costMicros millionths of the unit of the price list
 * @param passages how many passages were given to the engine
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record UsageRecord(
    @JsonProperty("a") String attempt,
    @JsonProperty("t") long timeMillis,
    @JsonProperty("k") String keyId,
    @JsonProperty("m") String modelAsked,
    @JsonProperty("b") String answeredBy,
    @JsonProperty("i") long inputTokens,
    @JsonProperty("o") long outputTokens,
    @JsonProperty("s") Status status,
    @JsonProperty("h") int httpStatus,
    @JsonProperty("e") @Nullable String errorCode,
    @JsonProperty("r") boolean stream,
    @JsonProperty("x") boolean estimated,
    @JsonProperty("l") long latencyMillis,
    @JsonProperty("f") long timeToFirstTokenMillis,
    @JsonProperty("q") long queueMillis,
    @JsonProperty("c") String cache,
    @JsonProperty("n") @Nullable String label,
    @JsonProperty("u") long costMicros,
    @JsonProperty("p") int passages) {

  /** 128 characters of a client, sealed and in base64. */
  public static final int LABEL_LENGTH_MAX = 768;

  /** No cache had an answer. */
  public static final String MISS = "miss";

  /** How an attempt ended. */
  public enum Status {
    @JsonProperty("c")
    COMPLETED,
    @JsonProperty("x")
    CANCELLED,
    @JsonProperty("f")
    FAILED,
    /** Nobody settled it in time: what it spent is not known, and nothing is charged for it. */
    @JsonProperty("u")
    UNKNOWN
  }

  public UsageRecord {
    AttemptId.checked(attempt);
    if (inputTokens < 0 || outputTokens < 0 || costMicros < 0 || passages < 0) {
      throw new IllegalArgumentException("negative usage of attempt " + attempt);
    }
    if (label != null && label.length() > LABEL_LENGTH_MAX) {
      label = label.substring(0, LABEL_LENGTH_MAX);
    }
  }

  /** The record of a start that nobody settled: it happened, and what it spent is not known. */
  static UsageRecord unknown(StartedEntry start) {
    return new UsageRecord(
        start.attempt(),
        start.timeMillis(),
        start.keyId(),
        start.model(),
        "",
        0,
        0,
        Status.UNKNOWN,
        0,
        null,
        false,
        true,
        -1,
        -1,
        0,
        MISS,
        null,
        0,
        0);
  }

  public long tokens() {
    return inputTokens + outputTokens;
  }
}
