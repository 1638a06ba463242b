package dev.rowhouse.reporting;

import dev.rowhouse.journal.Database;
import dev.rowhouse.tenant.ErasureTarget;
import dev.rowhouse.tenant.TenantId;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The query tables, for the erasure of a tenant: ids of keys and of attempts go, and the sums stay
 * by hour, model asked and model answered, so that they go on being equal to its ledger's.
 */
public final class UsageErasure implements ErasureTarget {
  private final Transactions transactions;
  private final InstantSource clock;

  UsageErasure(Database database, Executor blocking, InstantSource clock) {
    this.transactions = new Transactions(database, blocking);
    this.clock = clock;
  }

  @Override
  public String name() {
    return "usage_tables";
  }

  @Override
  public CompletionStage<Map<String, Long>> count(TenantId tenant) {
    return transactions.run(
        "count what the tables of usage have of " + tenant,
        connection ->
            Map.of(
                "usage_key_ids", Erased.keys(connection, tenant.value()),
                "usage_attempt_ids", Erased.attempts(connection, tenant.value())));
  }

  @Override
  public CompletionStage<?> erase(TenantId tenant) {
    return transactions.run(
        "erase the keys of " + tenant + " from the tables of usage",
        connection -> {
          Erased.erase(connection, tenant.value(), clock.millis());
          return true;
        });
  }
}
