/**
 * Who changed what: a log that can be added to and not altered.
 *
 * <p>Every call of the operator plane that may change something leaves two entries: an intent
 * before anything is done, and an outcome before its answer goes out. A call whose intent cannot be
 * written is refused, so nothing happens unrecorded. Refused credentials are counted and written
 * together. Entries hold no secrets and no bodies, only their digest and a few named values.
 *
 * <p>The log is one hash chain for the cluster ({@link dev.rowhouse.audit.AuditChain}): an entry's
 * hash is over the hash before it and its own content, so an entry cannot be altered, dropped or
 * put in without altering all that follow (Haber and Stornetta 1991). {@link
 * dev.rowhouse.audit.AuditKeeper} is its only writer: a singleton that claims a number at the Fence
 * and looks, in the transaction of every write, whether it is still the latest; the sequence number
 * is the table's key, so of two writers one fails. Calls that come while it writes are written
 * together next (group commit).
 *
 * <p>Who can write the database can make the whole chain anew, or cut its end. So its head is kept
 * in two other places as well: in the file {@code audit-head} of the data directory and on the page
 * of metrics. In turn the log holds heads of the ledgers' chains (anchors), so that a cut ledger is
 * found. What each protects against is in docs/audit.md.
 *
 * <p>Read first: AuditEntry, AuditChain, then AuditKeeper and AuditVerification.
 */
@NullMarked
package dev.rowhouse.audit;

import org.jspecify.annotations.NullMarked;
