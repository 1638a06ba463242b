package dev.rowhouse.replay;

import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What a replay asks of the house around the journal: a running node, or what is left of one. */
public interface ReplayHouse {
  /** The figures that a replay is compared with, and of which rows they are made. */
  CompletionStage<LedgerReply.Cut> cut(TenantId tenant, UsageLedger.@Nullable Buckets buckets);

  Catalog catalog();

  /** The plan of that name, or the default one when there is none of that name. */
  Plan plan(String name);

  /** How many workers share the pools; 0 when none is known. */
  int workers();

  /** Which figures {@link #cut} gives, for the report: {@code running} or {@code recovered}. */
  String ledger();
}
