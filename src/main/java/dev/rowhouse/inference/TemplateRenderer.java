package dev.rowhouse.inference;

import dev.rowhouse.tenant.PromptTemplate;
import java.util.Map;

/** Fills a logic-less template. */
@FunctionalInterface
public interface TemplateRenderer {

  /**
   * The text of the system message.
   *
   * @param passagesBlock goes where the template says {@code {{passages}}}, or after the template
   *     when it does not say so; empty when there are no passages
   */
  String render(PromptTemplate template, Map<String, String> variables, String passagesBlock);
}
