package dev.rowhouse.replay;

import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.TimeRange;
import java.util.List;

/** What is to be computed again. */
public sealed interface ReplayRequest {
  Scope scope();

  /**
   * Of whom and when.
   *
   * @param tenants empty: all that have a ledger
   */
  record Scope(List<TenantId> tenants, TimeRange range) {
    public Scope {
      tenants = List.copyOf(tenants);
    }
  }

  /** Requests, tokens and cost, compared with the ledger's. */
  record TotalsAgain(Scope scope) implements ReplayRequest {}

  /**
   * The cost under another price list.
   *
   * @param keepRecorded whether what the list lacks keeps its recorded cost; else it is an error
   */
  record PriceAgain(Scope scope, PriceList prices, boolean keepRecorded) implements ReplayRequest {}

  /** The same arrivals with other weights, capacity or tenants. */
  record WhatIf(Scope scope, Changes changes) implements ReplayRequest {}

  /** The records themselves. */
  record Export(Scope scope, ExportFormat format) implements ReplayRequest {}
}
