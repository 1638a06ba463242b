package dev.rowhouse;

import dev.rowhouse.inference.TemplateRenderer;
import dev.rowhouse.tenant.PromptRenderer;
import dev.rowhouse.tenant.PromptTemplate;
import java.util.HashMap;
import java.util.Map;

/** Fills a tenant's templates with the tenant room's renderer. */
final class PromptTemplates implements TemplateRenderer {
  /** Where the retrieved passages go in a template. */
  private static final String PASSAGES = "passages";

  private final PromptRenderer renderer;

  PromptTemplates(PromptRenderer renderer) {
    this.renderer = renderer;
  }

  @Override
  public String render(
      PromptTemplate template, Map<String, String> variables, String passagesBlock) {
    Map<String, Object> values = new HashMap<>(variables);
    values.put(PASSAGES, passagesBlock);
    boolean placed =
        template.template().contains("{{" + PASSAGES)
            || template.template().contains("{{{" + PASSAGES);
    return switch (renderer.render(template.template(), values)) {
      case PromptRenderer.Text text ->
          placed || passagesBlock.isEmpty() ? text.text() : text.text() + "\n\n" + passagesBlock;
      case PromptRenderer.Failed failed -> throw new IllegalArgumentException(failed.message());
    };
  }
}
