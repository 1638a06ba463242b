package dev.rowhouse.tenant;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a tenant's record answers. */
public sealed interface TenantReply {

  /**
   * The tenant is there.
   *
   * @param created whether this very request made the tenant
   * @param keyId the first key when it did, absent when the tenant was there
   * @param provisioned what the tenant has from now on
   */
  record Onboarded(
      TenantProfile profile, boolean created, @Nullable String keyId, List<String> provisioned)
      implements TenantReply {
    public Onboarded {
      provisioned = List.copyOf(provisioned);
    }
  }

  /** The tenant as it is now: after a patch, a suspension or a resumption, or because of a Get. */
  record ProfileIs(TenantProfile profile) implements TenantReply {}

  /** What offboarding ended; asked again it is answered again. */
  record Offboarded(TenantId tenant, Instant at, int keysRevoked, int promptsErased)
      implements TenantReply {}

  record KeyCreated(KeyEntry key) implements TenantReply {}

  record KeyChanged(KeyEntry key) implements TenantReply {}

  record KeyRevoked(String keyId) implements TenantReply {}

  /**
   * The key was replaced.
   *
   * @param old the replaced key; absent when it ended at once
   */
  record KeyRotated(@Nullable KeyEntry old, KeyEntry key) implements TenantReply {}

  record PromptSaved(PromptTemplate prompt) implements TenantReply {}

  record PromptDeleted(String name) implements TenantReply {}

  record PromptVersions(List<PromptShelf.History.Saved> newestFirst) implements TenantReply {
    public PromptVersions {
      newestFirst = List.copyOf(newestFirst);
    }
  }

  /**
   * Nothing was changed.
   *
   * @param param the field that is at fault, if one is
   */
  record Refused(Reason reason, @Nullable String param, String message) implements TenantReply {}

  /** Why a command was refused, with the code and the HTTP status of that. */
  enum Reason {
    TENANT_NOT_FOUND("tenant_not_found", 404),
    TENANT_OFFBOARDED("tenant_offboarded", 409),
    KEY_NOT_FOUND("key_not_found", 404),
    KEY_ROTATED("key_rotated", 409),
    PROMPT_NOT_FOUND("prompt_not_found", 404),
    TOO_MANY("too_many", 409),
    INVALID("invalid_request", 400),
    /** This record is not the one that may write any more; the same request again finds it. */
    RECORD_MOVED("record_moved", 503),
    JOURNAL_UNAVAILABLE("journal_unavailable", 503);

    private final String code;
    private final int httpStatus;

    Reason(String code, int httpStatus) {
      this.code = code;
      this.httpStatus = httpStatus;
    }

    public String code() {
      return code;
    }

    public int httpStatus() {
      return httpStatus;
    }
  }
}
