package dev.rowhouse.tenant;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigRenderOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The plans and models that conf defines ({@code conf/plans.conf}, {@code conf/models.conf}): what
 * a house has before an operator changes anything.
 *
 * @param defaultPlan the plan of a tenant that names none, or whose plan is gone
 * @param slotsDefault requests at once per worker node of a model that sets no slots
 */
public record HouseCatalog(
    Map<String, ModelSpec> models, Map<String, Plan> plans, String defaultPlan, int slotsDefault) {
  public HouseCatalog {
    models = Map.copyOf(models);
    plans = Map.copyOf(plans);
    if (!plans.containsKey(defaultPlan)) {
      throw new IllegalArgumentException(
          "rowhouse.tenant.default-plan names " + defaultPlan + ", which conf does not define");
    }
  }

  /**
   * Reads {@code rowhouse.plans} and {@code rowhouse.models}.
   *
   * @throws ConfigException when a plan or a model is not well formed, naming its path
   */
  public static HouseCatalog of(Config config) {
    int slotsDefault = config.getInt("rowhouse.tenant.model-slots-default");
    Map<String, Plan> plans = new HashMap<>();
    for (String name : config.getObject("rowhouse.plans").keySet()) {
      plans.put(
          name, good("rowhouse.plans." + name, PlanReader.read(name, json(config, "plans", name))));
    }
    Map<String, ModelSpec> models = new HashMap<>();
    for (String name : config.getObject("rowhouse.models").keySet()) {
      models.put(
          name,
          good(
              "rowhouse.models." + name,
              ModelReader.read(name, json(config, "models", name), slotsDefault)));
    }
    return new HouseCatalog(
        models, plans, config.getString("rowhouse.tenant.default-plan"), slotsDefault);
  }

  /** The catalog as it is while nobody has heard from the keeper. */
  public Catalog catalog() {
    return new Catalog(0, models, plans);
  }

  /** The tenant's plan, or the default one when it names a plan that is gone. */
  public Plan planOf(String name, Catalog catalog) {
    Plan plan = catalog.plan(name);
    if (plan == null) {
      plan = catalog.plan(defaultPlan);
    }
    if (plan == null) {
      plan = plans.get(defaultPlan);
    }
    if (plan == null) {
      throw new IllegalStateException("the constructor saw a default plan");
    }
    return plan;
  }

  /** One entry as the operator's body would say it: the names of conf have dashes. */
  private static JsonNode json(Config config, String section, String name) {
    return underscored(
        Json.read(
            config
                .getConfig("rowhouse." + section)
                .root()
                .getOrDefault(name, com.typesafe.config.ConfigValueFactory.fromMap(Map.of()))
                .render(ConfigRenderOptions.concise())));
  }

  private static JsonNode underscored(JsonNode node) {
    if (!node.isObject()) {
      return node;
    }
    ObjectNode renamed = Json.object();
    node.properties()
        .forEach(
            field -> renamed.set(field.getKey().replace('-', '_'), underscored(field.getValue())));
    return renamed;
  }

  private static <T> T good(String path, Checked<T> checked) {
    return switch (checked) {
      case Checked.Good<T>(T value) -> value;
      case Checked.Bad<T>(List<FieldError> errors) ->
          throw new ConfigException.BadValue(
              path + "." + errors.getFirst().field(), errors.getFirst().message());
    };
  }
}
