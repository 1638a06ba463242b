/**
 * Who computes: the worker of a node, its runs, and the engines that they call.
 *
 * <p>A worker owns its slots and starts a request only for a ticket that it minted itself. Each run
 * is an actor of its own: its crash ends that request with a definite answer and nobody else's. A
 * run reads the body from the gateway in pieces, asks the tenant's retrieval handle for passages,
 * assembles the prompt from parts that carry their tenant's name (a foreign part throws), calls the
 * engine and sends the answer back no faster than the gateway asks for it.
 *
 * <p>An engine is pulled: it reads from its upstream what was asked for and no more, so a slow
 * client slows its own upstream, through TCP, and holds a bounded number of bytes on the way. JSON
 * passes as bytes. It is read once, to check it and to find the few members that are ours; the rest
 * is copied as it stands, so what an upstream can do that we do not know of still works.
 *
 * <p>Promises: exactly one end for each run; what was spent is reported, an explicit zero as zero
 * and our own count as an estimate; a cancelled run closes its upstream connection at once; no
 * address, key or alias of an upstream in what a client gets; no tenant's text in the log.
 *
 * <p>A model that embeds has a run of its own kind, with the same beginning and the same end: it
 * computes one text at a time and reports the embedder's count.
 *
 * <p>Read first: Run, then EngineCall and EngineEvent, then OpenAiCall and ExtractiveEngine. What a
 * run sends is in ChunkOrder, AnswerWriter and Outbox; what it settles is in Tally.
 */
@NullMarked
package dev.rowhouse.inference;

import org.jspecify.annotations.NullMarked;
