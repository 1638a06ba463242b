/**
 * The doors of the house: the tenant plane (the OpenAI surface, knowledge, usage), the operator
 * plane, and the consoles.
 *
 * <p>A tenant is known from its key alone. {@link dev.rowhouse.http.TenantPlane} and {@link
 * dev.rowhouse.http.OperatorPlane} are the two tables of routes; each route reads its input, asks
 * the rooms behind, and writes what they say. Nothing is decided here but the form: a body that is
 * no JSON, a field of the wrong type, a path that is not there.
 *
 * <p>Promises: bad input is a typed 4xx that names the field; every request has one answer with an
 * {@code x-request-id}; another tenant's id of anything is the same 404 as one that never was.
 */
@NullMarked
package dev.rowhouse.http;

import org.jspecify.annotations.NullMarked;
