/**
 * Who a tenant is: identity, keys, plan, limits, prompt templates, routes to models.
 *
 * <p>{@link dev.rowhouse.tenant.Tenant} is the pure core: commands and a time in, events and an
 * answer out. {@link dev.rowhouse.tenant.TenantRecord} is the thin event-sourced actor around it, a
 * child of the tenant's sharded actor. What the rest of the house may know of a tenant is its
 * {@link dev.rowhouse.tenant.TenantProfile}, a value. The models and plans that operators manage
 * are the {@link dev.rowhouse.tenant.Catalog}, of which every node holds a copy; its keeper also
 * keeps the book of what tenants have reserved, so that reservations fit beside each other.
 *
 * <p>Promises: a gateway mints a key, shows it once and sends on only its SHA-256, so a secret is
 * on no wire and in no journal; a key is recognised as forged without a message to anyone; a
 * command that arrives twice changes something once; a record is written only after the Fence said
 * that nobody else does; a body with a mistake is refused with the path of the field.
 *
 * <p>What a tenant wrote is sealed under a data key of its own ({@link
 * dev.rowhouse.tenant.DataKeys}, wrapped by the {@link dev.rowhouse.tenant.MasterKey}): in the
 * journal by {@link dev.rowhouse.tenant.TenantSealing}, at the edge of the record. {@link
 * dev.rowhouse.tenant.Erasure} destroys the key, has every {@link
 * dev.rowhouse.tenant.ErasureTarget} emptied and signs what it did.
 *
 * <p>Operators list tenants from the {@link dev.rowhouse.tenant.TenantDirectory}, a projection, so
 * that a list wakes nobody.
 *
 * <p>Read first: Tenant, then TenantRecord, then ApiKey; for bodies TenantSpecReader.
 */
@NullMarked
package dev.rowhouse.tenant;

import org.jspecify.annotations.NullMarked;
