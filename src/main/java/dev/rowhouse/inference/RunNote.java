package dev.rowhouse.inference;

import dev.rowhouse.fairness.SlotOwner;

/** What a run tells the worker whose slot it uses. Both are on one node. */
public sealed interface RunNote extends SlotOwner permits RunEnded, RunProgress, CallEnded {}
