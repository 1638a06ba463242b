package dev.rowhouse.inference;

import dev.rowhouse.inference.PassageSource.Passage;
import dev.rowhouse.tenant.ModelSpec;
import java.util.List;

/**
 * What an engine is asked.
 *
 * @param body the client's request
 * @param systemText what the tenant's prompt and passages add before it; empty: nothing
 * @param passages already checked to be this tenant's
 * @param searched whether retrieval was on
 */
record EngineRequest(
    String attempt,
    ModelSpec model,
    boolean stream,
    ChatBody body,
    String systemText,
    List<Passage> passages,
    boolean searched) {}
