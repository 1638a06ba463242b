package dev.rowhouse.tenant;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The models and plans of the house at one moment. Every node holds a copy; a higher version
 * replaces a lower one.
 */
public record Catalog(long version, Map<String, ModelSpec> models, Map<String, Plan> plans) {
  /**
   * Models that embed in every node. They have no slots and no price of their own, so they are no
   * entries of the catalog, and every tenant has them.
   */
  public static final Set<String> EMBEDDERS = Set.of("bge-small-en-v1.5");

  public static final Catalog EMPTY = new Catalog(-1, Map.of(), Map.of());

  public Catalog {
    models = Map.copyOf(models);
    plans = Map.copyOf(plans);
  }

  public @Nullable ModelSpec model(String name) {
    return models.get(name);
  }

  public @Nullable Plan plan(String name) {
    return plans.get(name);
  }
}
