package dev.rowhouse.inference;

/**
 * A run tells its worker how it ended, once, after it told the gateway. The worker frees the slot
 * and settles. A run that stops without this message has crashed.
 */
public record RunEnded(String attempt, RunReport report) implements RunNote {}
