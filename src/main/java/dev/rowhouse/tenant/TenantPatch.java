package dev.rowhouse.tenant;

/**
 * A merge patch (RFC 7396) of a tenant's settings whose fields are known to be well formed.
 *
 * @param json the patch, an object
 */
public record TenantPatch(String json) {}
