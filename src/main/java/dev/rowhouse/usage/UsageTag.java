package dev.rowhouse.usage;

import dev.rowhouse.tenant.TenantId;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The tag of a ledger's events in the journal, by which the query tables are filled. A tenant's
 * events all have the same one, so they come in the order of the journal.
 */
public final class UsageTag {
  /**
   * Never changed: a tenant would move to another tag, whose reader is at another place. Each tag
   * costs a query of the journal twice a second on an idle node; four of them fill the tables on
   * four nodes.
   */
  public static final int COUNT = 4;

  private UsageTag() {}

  public static String of(TenantId tenant) {
    return name(Math.floorMod(tenant.value().hashCode(), COUNT));
  }

  /** All of them, by number. */
  public static List<String> all() {
    return IntStream.range(0, COUNT).mapToObj(UsageTag::name).toList();
  }

  private static String name(int number) {
    return "usage-" + number;
  }
}
