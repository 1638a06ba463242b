/** Tests of replays: pure ones here, those on a running node in dev.rowhouse.node. */
@NullMarked
package dev.rowhouse.replay;

import org.jspecify.annotations.NullMarked;
