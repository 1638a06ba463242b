package dev.rowhouse.tenant;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the body of {@code PUT /admin/models/{name}}. */
public final class ModelReader {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}");
  private static final Pattern KEY_REFERENCE =
      Pattern.compile("env:[A-Za-z_][A-Za-z0-9_]*|file:.+");

  /** More would be no limit at all; a worker's slot table is sent each second. */
  static final int SLOTS_MAX = 10_000;

  private static final double PRICE_MAX = 1_000_000;
  private static final double TOKEN_WEIGHT_MAX = 1_000;
  private static final int URL_LENGTH_MAX = 2_000;
  private static final int REGION_LENGTH_MAX = 64;

  /** A token that is generated takes a step of its own, one that is read shares one. */
  private static final double OUTPUT_WEIGHT_DEFAULT = 2;

  private ModelReader() {}

  /**
   * The model of that body, or all that is wrong with it.
   *
   * @param slotsDefault requests at once per worker node when the body sets no slots
   */
  public static Checked<ModelSpec> read(String name, JsonNode body, int slotsDefault) {
    FieldReader in = FieldReader.of(body);
    if (!NAME.matcher(name).matches()) {
      in.error("name", "must be 1 to 128 letters, digits, '.', '_', ':', '/' and '-'");
    }
    String inside = in.text("name", TenantSpecReader.MODEL_NAME_LENGTH_MAX);
    if (inside != null && !inside.equals(name)) {
      in.error("name", "must be the name in the path, or absent");
    }
    String engine = engine(in);
    Long slots = in.integer("slots", 1, SLOTS_MAX);
    Long slotsTotal = in.integer("slots_total", 1, SLOTS_MAX);
    if (slots != null && slotsTotal != null) {
      in.error("slots_total", "excludes slots: a model has slots per worker node or in total");
    }
    FieldReader price = in.object("price");
    FieldReader weights = in.object("weights");
    Double inputWeight = weights.positive("input", TOKEN_WEIGHT_MAX);
    Double outputWeight = weights.positive("output", TOKEN_WEIGHT_MAX);
    ModelSpec model =
        new ModelSpec(
            name,
            engine == null ? ModelSpec.EMBEDDED : engine,
            baseUrl(in, engine),
            in.text("upstream_model", TenantSpecReader.MODEL_NAME_LENGTH_MAX),
            keyReference(in),
            slotsTotal != null ? 0 : slots == null ? slotsDefault : Math.toIntExact(slots),
            slotsTotal == null ? null : Math.toIntExact(slotsTotal),
            price.number("input_per_million", 0, PRICE_MAX, 0),
            price.number("output_per_million", 0, PRICE_MAX, 0),
            inputWeight == null ? 1 : inputWeight,
            outputWeight == null ? OUTPUT_WEIGHT_DEFAULT : outputWeight,
            in.text("region", REGION_LENGTH_MAX),
            owner(in),
            estimator(in));
    price.close();
    weights.close();
    in.close();
    return in.isClean() ? new Checked.Good<>(model) : in.bad();
  }

  private static @Nullable String engine(FieldReader in) {
    String engine = in.text("engine", 32);
    if (engine == null) {
      if (in.node("engine") == null) {
        in.error("engine", "is missing: embedded, embedding or openai");
      }
      return null;
    }
    switch (engine) {
      case ModelSpec.EMBEDDED, ModelSpec.EMBEDDING, ModelSpec.OPENAI -> {
        return engine;
      }
      case "anthropic", "llama" ->
          in.error("engine", "the engine " + engine + " is not available in this version");
      default -> in.error("engine", "must be embedded, embedding or openai");
    }
    return null;
  }

  private static Estimator estimator(FieldReader in) {
    String label = in.text("estimator", 32);
    Estimator estimator = label == null ? Estimator.MOVING_MEAN : Estimator.ofLabel(label);
    if (estimator == null) {
      in.error("estimator", "must be zero, moving_mean or max_tokens");
      return Estimator.MOVING_MEAN;
    }
    return estimator;
  }

  private static @Nullable String baseUrl(FieldReader in, @Nullable String engine) {
    String url = in.text("base_url", URL_LENGTH_MAX);
    if (ModelSpec.OPENAI.equals(engine) && in.node("base_url") == null) {
      in.error("base_url", "is missing: the engine openai needs the upstream's root");
    }
    boolean inProcess = ModelSpec.EMBEDDED.equals(engine) || ModelSpec.EMBEDDING.equals(engine);
    if (inProcess && url != null) {
      in.error("base_url", "the engine " + engine + " has no upstream");
    }
    if (url == null) {
      return null;
    }
    try {
      URI uri = new URI(url);
      String scheme = uri.getScheme();
      if (!("http".equals(scheme) || "https".equals(scheme)) || uri.getHost() == null) {
        in.error("base_url", "must be an http or https URL with a host");
      } else if (uri.getUserInfo() != null) {
        in.error("base_url", "must hold no credentials: use api_key_ref");
      } else if (uri.getQuery() != null || uri.getFragment() != null) {
        in.error("base_url", "must have no query and no fragment");
      }
    } catch (URISyntaxException e) {
      in.error("base_url", "must be an http or https URL with a host");
    }
    return url;
  }

  private static @Nullable String keyReference(FieldReader in) {
    String reference = in.text("api_key_ref", URL_LENGTH_MAX);
    if (reference != null && !KEY_REFERENCE.matcher(reference).matches()) {
      // The text is not repeated: it may be a key that was pasted here by mistake.
      in.error("api_key_ref", "must be env:NAME or file:PATH, never the key itself");
    }
    return reference;
  }

  private static @Nullable TenantId owner(FieldReader in) {
    String owner = in.text("owner", TenantId.LENGTH_MAX);
    if (owner == null) {
      return null;
    }
    if (!TenantId.isValid(owner)) {
      in.error("owner", "is not a tenant id");
      return null;
    }
    return new TenantId(owner);
  }
}
