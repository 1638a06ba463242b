package dev.rowhouse.tenant;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What may be asked of a tenant's record. A command that changes something carries the id of its
 * request and may arrive twice: the second time it changes nothing and is answered as the first
 * time.
 */
public sealed interface TenantCommand {
  /** A command that changes the record. */
  sealed interface Change extends TenantCommand {
    /** As long as an id of ours, with room for a client's. */
    int REQUEST_ID_LENGTH_MAX = 100;

    String requestId();
  }

  /**
   * Makes the tenant, or gives an existing one these settings instead of its own.
   *
   * @param key the first key; an existing tenant does not get it
   */
  record Onboard(String requestId, TenantSpec spec, NewKey key) implements Change {
    public Onboard {
      checkRequestId(requestId);
    }
  }

  record Patch(String requestId, TenantPatch patch) implements Change {
    public Patch {
      checkRequestId(requestId);
    }
  }

  record Suspend(String requestId) implements Change {
    public Suspend {
      checkRequestId(requestId);
    }
  }

  record Resume(String requestId) implements Change {
    public Resume {
      checkRequestId(requestId);
    }
  }

  record Offboard(String requestId) implements Change {
    public Offboard {
      checkRequestId(requestId);
    }
  }

  record CreateKey(
      String requestId,
      NewKey key,
      String name,
      Set<Scope> scopes,
      @Nullable Instant expiresAt,
      @Nullable Limits limits)
      implements Change {
    public CreateKey {
      checkRequestId(requestId);
      scopes = Set.copyOf(scopes);
    }
  }

  /** Changes a key's name or limits. */
  record ChangeKey(String requestId, String keyId, TenantPatch patch) implements Change {
    public ChangeKey {
      checkRequestId(requestId);
    }
  }

  /**
   * A budget has reached a part of itself. It is noted once; the request id is the mark's own.
   *
   * @see BudgetMark
   */
  record MarkBudget(BudgetMark mark) implements Change {
    @Override
    public String requestId() {
      return mark.id();
    }
  }

  record RevokeKey(String requestId, String keyId) implements Change {
    public RevokeKey {
      checkRequestId(requestId);
    }
  }

  /**
   * Replaces a key by a new one.
   *
   * @param graceSeconds how long the old key still opens
   */
  record RotateKey(String requestId, String keyId, NewKey replacement, long graceSeconds)
      implements Change {
    public RotateKey {
      checkRequestId(requestId);
    }
  }

  record PutPrompt(String requestId, String name, String template, @Nullable String description)
      implements Change {
    public PutPrompt {
      checkRequestId(requestId);
    }
  }

  record DeletePrompt(String requestId, String name) implements Change {
    public DeletePrompt {
      checkRequestId(requestId);
    }
  }

  record GetProfile() implements TenantCommand {}

  /** The versions of one prompt that are kept, the newest first. */
  record GetPromptVersions(String name) implements TenantCommand {}

  private static void checkRequestId(String requestId) {
    if (requestId.isBlank() || requestId.length() > Change.REQUEST_ID_LENGTH_MAX) {
      throw new IllegalArgumentException("not a request id");
    }
  }
}
