package dev.rowhouse.tenant;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A walk over the tags of a template, for what the library does not bound: nesting, and the tags
 * that are more than logic-less.
 */
final class TemplateScan {
  private static final String OPEN = "{{";
  private static final String CLOSE = "}}";
  private static final Pattern LINE = Pattern.compile("line (\\d+)");

  private TemplateScan() {}

  static PromptRenderer.@Nullable Fault check(String template, int nestingMax) {
    int depth = 0;
    int at = template.indexOf(OPEN);
    while (at >= 0) {
      int end = template.indexOf(CLOSE, at + OPEN.length());
      if (end < 0) {
        return fault(template, at, "a tag is opened and not closed");
      }
      String tag = template.substring(at + OPEN.length(), end).strip();
      switch (tag.isEmpty() ? ' ' : tag.charAt(0)) {
        case '#', '^' -> {
          if (++depth > nestingMax) {
            return fault(template, at, "sections are nested over " + nestingMax + " levels");
          }
        }
        case '/' -> depth--;
        case '>', '<', '$' -> {
          return fault(template, at, "other templates cannot be included");
        }
        case '=' -> {
          return fault(template, at, "delimiters cannot be changed");
        }
        case ' ' -> {
          return fault(template, at, "a tag has no name");
        }
        default -> {}
      }
      at = template.indexOf(OPEN, end + CLOSE.length());
    }
    return null;
  }

  private static PromptRenderer.Fault fault(String template, int at, String what) {
    int line = 1 + (int) template.substring(0, at).chars().filter(c -> c == '\n').count();
    return new PromptRenderer.Fault(line, "line " + line + ": " + what);
  }

  /** The line that a message of the library names; 1 when it names none. */
  static int lineIn(@Nullable String message) {
    Matcher matcher = LINE.matcher(message == null ? "" : message);
    return matcher.find() ? Integer.parseInt(matcher.group(1)) : 1;
  }
}
