package dev.rowhouse.serving;

import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.PromptTemplate;
import dev.rowhouse.tenant.TenantProfile;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a request goes: the model behind the name it asked for, what is tried if that fails, and
 * the template that it is asked with.
 */
record Route(ModelSpec model, List<ModelSpec> fallbacks, @Nullable PromptTemplate prompt) {

  /** A route, or why there is none. */
  sealed interface Choice {
    record Found(Route route) implements Choice {}

    record None(Refusal refusal) implements Choice {}
  }

  /**
   * Unknown comes before forbidden: a name that does not exist for the tenant is 404, never 403.
   */
  static Choice choose(Ask ask, TenantProfile profile, Catalog catalog) {
    String asked = ask.modelAsked() != null ? ask.modelAsked() : profile.defaultModel();
    if (asked == null) {
      return none(
          400,
          "invalid_request_error",
          "model",
          "model is missing, and this tenant has no default model.");
    }
    String name = profile.aliases().getOrDefault(asked, asked);
    ModelSpec model = catalog.model(name);
    if (model == null || !model.existsFor(profile.tenant())) {
      return new Choice.None(Refusals.unknownModel(asked));
    }
    if (!isAllowed(profile, asked, model)) {
      return none(
          403,
          "model_not_allowed",
          "model",
          "The model '" + asked + "' exists, but this tenant may not use it.");
    }
    if (ask.purpose() == Ask.Purpose.EMBEDDING) {
      // No fallbacks: vectors of two models cannot be compared.
      return model.isEmbedder()
          ? new Choice.Found(new Route(model, List.of(), null))
          : none(
              400, "invalid_request_error", "model", "The model '" + asked + "' does not embed.");
    }
    if (model.isEmbedder()) {
      return none(
          400, "invalid_request_error", "model", "The model '" + asked + "' does not chat.");
    }
    String promptName = ask.promptName();
    Integer promptVersion = ask.promptVersion();
    PromptTemplate prompt =
        profile.prompts().get(promptName == null ? PromptTemplate.DEFAULT : promptName);
    if (promptName != null
        && (prompt == null || (promptVersion != null && promptVersion != prompt.version()))) {
      String version = promptVersion == null ? "" : "@" + promptVersion;
      return none(
          400,
          "invalid_request_error",
          "rowhouse.prompt",
          "There is no prompt '" + promptName + version + "'.");
    }
    List<ModelSpec> fallbacks = new ArrayList<>();
    for (String fallback : profile.fallbacks().getOrDefault(name, List.of())) {
      ModelSpec other = catalog.model(fallback);
      if (other != null && other.existsFor(profile.tenant()) && !other.isEmbedder()) {
        fallbacks.add(other);
      }
    }
    return new Choice.Found(new Route(model, List.copyOf(fallbacks), prompt));
  }

  /** An embedder needs no entry: a list names the models that may answer. */
  static boolean isAllowed(TenantProfile profile, String asked, ModelSpec model) {
    List<String> allowed = profile.allowedModels();
    return allowed.isEmpty()
        || model.isEmbedder()
        || allowed.contains(model.name())
        || allowed.contains(asked);
  }

  private static Choice none(int status, String code, String param, String message) {
    return new Choice.None(Refusal.field(status, code, param, message));
  }
}
