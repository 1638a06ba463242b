package dev.rowhouse.tenant;

import java.util.List;

/**
 * What a command comes to: the events to write, the tenant as they leave it, and the answer that
 * may be given once they are written. Without events the answer may be given at once.
 */
public record Decision(List<TenantEvent> events, Tenant after, TenantReply reply) {
  public Decision {
    events = List.copyOf(events);
  }
}
