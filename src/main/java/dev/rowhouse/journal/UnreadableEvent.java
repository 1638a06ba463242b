package dev.rowhouse.journal;

/**
 * In place of an event whose bytes in the journal are damaged.
 *
 * <p>Who needs the event throws the failure. Who follows many tenants' events notes whose it is and
 * goes on, so that one tenant's damaged row holds up nobody else's figures.
 */
public record UnreadableEvent(Exception failure) {}
