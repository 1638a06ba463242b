/**
 * Whose turn it is: capacity slots, the numbered tickets that workers mint for them, and the
 * coordinator that hands slots to tenants in proportion to their weights.
 */
@NullMarked
package dev.rowhouse.fairness;

import org.jspecify.annotations.NullMarked;
