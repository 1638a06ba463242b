package dev.rowhouse.tenant;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the body of {@code PUT /admin/plans/{name}}: {@code {"weight", "limits": {...},
 * "queue_timeout_ms"}}. A plan leaves no limit open but those of the month, which may be absent: no
 * limit.
 */
public final class PlanReader {
  static final int NAME_LENGTH_MAX = 64;
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,63}");

  /** SDKs give up waiting for an answer after ten minutes. */
  private static final long QUEUE_TIMEOUT_MILLIS_MAX = 600_000;

  private static final long QUEUE_TIMEOUT_MILLIS_DEFAULT = 30_000;

  private PlanReader() {}

  public static Checked<Plan> read(String name, JsonNode body) {
    FieldReader in = FieldReader.of(body);
    if (!NAME.matcher(name).matches()) {
      in.error("name", "must be 1 to 64 lower-case letters, digits, '.', '-' and '_'");
    }
    String inside = in.text("name", NAME_LENGTH_MAX);
    if (inside != null && !inside.equals(name)) {
      in.error("name", "must be the name in the path, or absent");
    }
    Double weight = in.positive("weight", TenantSpecReader.WEIGHT_MAX);
    FieldReader limitsIn = in.object("limits");
    Limits limits = TenantSpecReader.limits(limitsIn);
    Long timeout = in.integer("queue_timeout_ms", 0, QUEUE_TIMEOUT_MILLIS_MAX);
    in.close();
    if (in.isClean()) {
      require(limitsIn, "requests_per_minute", limits.requestsPerMinute());
      require(limitsIn, "tokens_per_minute", limits.tokensPerMinute());
      require(limitsIn, "concurrent_requests", limits.concurrentRequests());
      require(limitsIn, "queue_length", limits.queueLength());
    }
    return in.isClean()
        ? new Checked.Good<>(
            new Plan(
                name,
                weight == null ? 1 : weight,
                limits,
                timeout == null ? QUEUE_TIMEOUT_MILLIS_DEFAULT : timeout))
        : in.bad();
  }

  private static void require(FieldReader in, String field, @Nullable Long value) {
    if (value == null) {
      in.error(field, "is missing: a plan sets it");
    }
  }
}
