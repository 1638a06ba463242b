package dev.rowhouse.tenant;

/**
 * What is wrong with one field of a body.
 *
 * @param field its path, such as {@code limits.requests_per_minute}; empty: the body itself
 * @param message what was expected, in words for the person who sent it
 */
public record FieldError(String field, String message) {}
