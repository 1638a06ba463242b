/**
 * Who a tenant is: identity, keys, plan, limits, prompt templates, routes to models.
 *
 * <p>{@link dev.rowhouse.tenant.Tenant} is the pure core: commands and a time in, events and an
 * answer out. {@link dev.rowhouse.tenant.TenantRecord} is the thin event-sourced actor around it, a
 * child of the tenant's sharded actor. What the rest of the house may know of a tenant is its
 * {@link dev.rowhouse.tenant.TenantProfile}, a value. The models and plans that operators manage
 * are the {@link dev.rowhouse.tenant.Catalog}, of which every node holds a copy.
 *
 * <p>Promises: a secret is never stored, only its SHA-256; a key is recognised as forged without a
 * message to anyone; a record is written only after the Fence said that nobody else does.
 *
 * <p>Read first: Tenant, then TenantRecord, then ApiKey.
 */
@NullMarked
package dev.rowhouse.tenant;

import org.jspecify.annotations.NullMarked;
