/**
 * A node as its users meet it: real processes of the packaged distribution, driven over HTTP.
 *
 * <p>Each test starts nodes of its own, with ports and a data directory of their own, and leaves
 * none behind. {@link dev.rowhouse.node.NodeProcess} is the node, {@link
 * dev.rowhouse.node.FakeUpstream} the model server behind it, {@link dev.rowhouse.node.Operator}
 * and {@link dev.rowhouse.node.TenantClient} are the two kinds of people in front of it. They know
 * the HTTP contract and nothing of the house's classes.
 */
@NullMarked
package dev.rowhouse.node;

import org.jspecify.annotations.NullMarked;
