package dev.rowhouse.serving;

import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.TenantProfile;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The names of models that a tenant may ask for: the same rule as admission's. */
public final class Models {
  private Models() {}

  /** Sorted: models that exist for the tenant and are allowed, and aliases of such. */
  public static List<String> namesFor(TenantProfile profile, Catalog catalog) {
    TreeSet<String> names = new TreeSet<>();
    for (ModelSpec model : catalog.models().values()) {
      if (model.existsFor(profile.tenant()) && Route.isAllowed(profile, model.name(), model)) {
        names.add(model.name());
      }
    }
    for (Map.Entry<String, String> alias : profile.aliases().entrySet()) {
      ModelSpec model = catalog.model(alias.getValue());
      if (model != null
          && model.existsFor(profile.tenant())
          && Route.isAllowed(profile, alias.getKey(), model)) {
        names.add(alias.getKey());
      }
    }
    return List.copyOf(names);
  }
}
