/**
 * Who computes: the worker of a node, its runs, and the engines that they call.
 *
 * <p>A worker owns its slots and starts a request only for a ticket that it minted itself. Each run
 * is an actor of its own: its crash ends that request with a definite answer and nobody else's. A
 * run reads the body from the gateway in pieces, asks the tenant's retrieval handle for passages,
 * assembles the prompt from parts that carry their tenant's name (a foreign part throws), calls the
 * engine and sends the answer back no faster than the gateway asks for it.
 */
@NullMarked
package dev.rowhouse.inference;

import org.jspecify.annotations.NullMarked;
