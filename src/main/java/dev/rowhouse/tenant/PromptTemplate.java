package dev.rowhouse.tenant;

import org.jspecify.annotations.Nullable;

/**
 * A logic-less (Mustache) template that becomes the system message. {@code {{passages}}} is where
 * the retrieved passages go; without it they follow the template.
 *
 * @param version counts up from 1 with every change of the text
 */
public record PromptTemplate(
    String name, int version, String template, @Nullable String description) {
  /** The template that a request without a prompt of its own is answered with. */
  public static final String DEFAULT = "default";
}
