package dev.rowhouse.usage;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * An attempt that was started and has to be settled by somebody.
 *
 * @param timeMillis when it was admitted, since 1970-01-01T00:00Z
 * @param estimateTokens what was reserved for it
 */
public record StartedEntry(
    @JsonProperty("a") String attempt,
    @JsonProperty("t") long timeMillis,
    @JsonProperty("k") String keyId,
    @JsonProperty("m") String model,
    @JsonProperty("n") long estimateTokens) {

  public StartedEntry {
    AttemptId.checked(attempt);
    if (estimateTokens < 0) {
      throw new IllegalArgumentException("negative estimate of attempt " + attempt);
    }
  }
}
