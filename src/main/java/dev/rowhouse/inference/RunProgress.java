package dev.rowhouse.inference;

/**
 * What a run has spent so far, all of it; the end corrects it. The worker charges it to the tenant
 * while the answer is still being written.
 */
public record RunProgress(String attempt, long inputTokens, long outputTokens) implements RunNote {}
