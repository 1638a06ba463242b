package dev.rowhouse.fairness;

/**
 * The right to start one request in one slot of one worker. The worker that mints it accepts it
 * once, then raises the sequence number: a second use, or a late one, finds another number.
 *
 * @param pool the model whose slots these are
 * @param worker the worker's stable name within the cluster
 * @param incarnation which start of that worker minted it
 * @param slot the slot's index in the pool at that worker
 * @param seq the slot's sequence number
 */
public record SlotTicket(String pool, String worker, long incarnation, int slot, long seq) {}
