package dev.rowhouse.usage;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The sums of one bucket, or of one model or key in it.
 *
 * @param group the model or the key id; absent when the query did not group
 */
public record UsageRow(
    Instant start,
    @Nullable String group,
    long requests,
    long inputTokens,
    long outputTokens,
    long costMicros) {}
