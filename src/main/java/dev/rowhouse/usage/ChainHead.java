package dev.rowhouse.usage;

/**
 * The end of a segment's hash chain at some moment. Kept outside the journal it is an anchor: what
 * is cut off or written anew before it is found.
 *
 * @param hash the {@link LedgerEvent#chain} of the event at that sequence number
 */
public record ChainHead(String persistenceId, long sequence, String hash) {}
