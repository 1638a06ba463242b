package dev.rowhouse.audit;

import java.util.Map;

/**
 * What is to be logged. Texts that are too long are cut, so that nobody's input makes a large
 * entry.
 *
 * @param requestId the request; an intent and its outcome have the same
 * @param actor who: the fingerprint of a token, or {@link #HOUSE}
 * @param remote from which address; empty when there was none
 * @param action what, as the route says it
 * @param target on what: a tenant, a model, a plan
 * @param detail more about it, no secrets
 */
public record AuditDraft(
    Kind kind,
    String requestId,
    String actor,
    String remote,
    String action,
    String target,
    Map<String, String> detail) {
  /** The actor of what the program does by itself. */
  public static final String HOUSE = "house";

  static final int TEXT_LENGTH_MAX = 200;
  static final int VALUE_LENGTH_MAX = 1_000;

  /** Anchors have the most: a value for each head. */
  public static final int DETAILS_MAX = 500;

  /** What an entry tells of. */
  public enum Kind {
    /** Somebody is about to do something. */
    INTENT,
    /** How it ended. */
    OUTCOME,
    /** Calls with wrong credentials, counted. */
    REFUSED,
    /** Heads of the ledgers' chains. */
    ANCHOR,
    /** A check found a difference. */
    ALARM,
    /** Older entries were deleted; the chain begins here. */
    BASE
  }

  public AuditDraft {
    requestId = cut(requestId, TEXT_LENGTH_MAX);
    actor = cut(actor, TEXT_LENGTH_MAX);
    remote = cut(remote, TEXT_LENGTH_MAX);
    action = cut(action, TEXT_LENGTH_MAX);
    target = cut(target, TEXT_LENGTH_MAX);
    if (detail.size() > DETAILS_MAX) {
      throw new IllegalArgumentException("more than " + DETAILS_MAX + " details of " + action);
    }
    java.util.TreeMap<String, String> cut = new java.util.TreeMap<>();
    detail.forEach(
        (name, value) -> cut.put(cut(name, TEXT_LENGTH_MAX), cut(value, VALUE_LENGTH_MAX)));
    detail = Map.copyOf(cut);
  }

  private static String cut(String text, int most) {
    return text.length() > most ? text.substring(0, most) : text;
  }
}
