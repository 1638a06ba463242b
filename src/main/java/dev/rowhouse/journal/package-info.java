/**
 * The database under the journal: its connections, its tables and the Fence.
 *
 * <p>Every room that keeps something durable stands on this one, and this one stands on nothing. On
 * the embedded default it is one H2 file that also holds the event journal and the snapshots, so a
 * node has exactly one thing to back up. Wrapped keys lie in it beside the journal ({@link
 * dev.rowhouse.journal.KeyStore}), because a journal forgets nothing. Read {@link
 * dev.rowhouse.journal.Fence} first: it is why two writers of one thing never both count.
 */
@NullMarked
package dev.rowhouse.journal;

import org.jspecify.annotations.NullMarked;
