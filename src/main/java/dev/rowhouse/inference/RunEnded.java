package dev.rowhouse.inference;

/** A run tells its worker, exactly once, that its slot is free and what was spent. */
public record RunEnded(String attempt, RunReport report) {}
