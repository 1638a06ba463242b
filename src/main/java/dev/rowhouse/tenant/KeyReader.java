package dev.rowhouse.tenant;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** Reads what may be set of a key: {@code {"name", "limits": {...}}}. */
public final class KeyReader {
  /** The name of a key that is given none. */
  public static final String NAME_DEFAULT = "key";

  private KeyReader() {}

  private record Settings(String name, @Nullable Limits limits) {}

  /** The limits in the body of a new key; null: none. A queue is the tenant's, so it is refused. */
  public static @Nullable Limits limits(FieldReader body) {
    FieldReader in = body.object("limits");
    if (in.node("queue_length") != null) {
      in.error("queue_length", "is a limit of tenants, which have one queue for all keys");
    }
    Limits limits = TenantSpecReader.limits(in);
    return limits.equals(Limits.UNSET) ? null : limits;
  }

  /** A merge patch (RFC 7396) of a key, checked as far as it can be without the key. */
  public static Checked<TenantPatch> readPatch(JsonNode body) {
    return switch (settings(body)) {
      case Checked.Bad<Settings> bad -> new Checked.Bad<>(bad.errors());
      case Checked.Good<Settings> _ -> new Checked.Good<>(new TenantPatch(body.toString()));
    };
  }

  /** That key with the patch merged in. */
  static Checked<KeyEntry> merge(KeyEntry key, TenantPatch patch) {
    ObjectNode merged = Json.object().put("name", key.name());
    Limits own = key.limits();
    if (own != null) {
      merged.set("limits", TenantJson.keyLimits(own));
    }
    Json.mergePatch(merged, Json.read(patch.json()));
    return switch (settings(merged)) {
      case Checked.Bad<Settings> bad -> new Checked.Bad<>(bad.errors());
      case Checked.Good<Settings>(Settings settings) ->
          new Checked.Good<>(key.with(settings.name(), settings.limits()));
    };
  }

  private static Checked<Settings> settings(JsonNode body) {
    FieldReader in = FieldReader.of(body);
    String name = in.text("name", KeyRing.NAME_LENGTH_MAX);
    if (name != null && name.isBlank()) {
      in.error("name", "must not be blank");
    }
    Limits limits = limits(in);
    in.close();
    return in.isClean()
        ? new Checked.Good<>(new Settings(name == null ? NAME_DEFAULT : name, limits))
        : in.bad();
  }
}
