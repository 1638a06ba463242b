package dev.rowhouse.tenant;

import com.samskivert.mustache.Mustache;
import com.samskivert.mustache.MustacheException;
import com.samskivert.mustache.Template;
import java.io.Writer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Turns a template and its variables into text: Mustache, without escaping, because the reader is a
 * model and not a browser.
 *
 * <p>Templates and variables come from tenants, so they are held to values: names are looked up in
 * maps and nowhere else (the library alone would call methods), partials, inheritance and other
 * delimiters are refused, and nesting, steps and output are bounded.
 *
 * <p>A variable that is written ({@code {{name}}}) must be there, or rendering fails and names it;
 * one that only opens a section ({@code {{#name}}...{{/name}}}) may be absent, which is how a
 * template says that it is optional.
 */
public final class PromptRenderer {
  /** Deeper sections than a person would read. */
  static final int NESTING_MAX = 16;

  /** Lists in lists multiply: a section entered more often than this is an attack or a mistake. */
  static final int STEPS_MAX = 10_000;

  /** Variables come from JSON, of which http admits 64 levels; the engine needs no more than 8. */
  static final int VARIABLE_DEPTH_MAX = 8;

  /** Compiled templates are kept, and all dropped when there are more: no tenant fills memory. */
  private static final int COMPILED_MAX = 512;

  private static final Mustache.Compiler COMPILER =
      Mustache.compiler()
          .escapeHTML(false)
          .strictSections(false)
          .emptyStringIsFalse(true)
          .withCollector(new MapsOnly());

  private final int outputLengthMax;
  private final Map<String, Template> compiled = new ConcurrentHashMap<>();

  /**
   * A renderer for prompts of at most that length.
   *
   * @param outputLengthMax characters of a rendered prompt
   */
  public PromptRenderer(int outputLengthMax) {
    this.outputLengthMax = outputLengthMax;
  }

  /** What is wrong with a template. */
  public record Fault(int line, String message) {}

  /** What became of a template and its variables. */
  public sealed interface Rendered {}

  public record Text(String text) implements Rendered {}

  /**
   * There is no text.
   *
   * @param variable the variable that is missing or unfit; absent: the whole is
   */
  public record Failed(@Nullable String variable, String message) implements Rendered {}

  /** Nothing when the template may be saved. */
  public static @Nullable Fault check(String template) {
    Fault fault = TemplateScan.check(template, NESTING_MAX);
    if (fault != null) {
      return fault;
    }
    try {
      COMPILER.compile(template);
      return null;
    } catch (MustacheException e) {
      return new Fault(TemplateScan.lineIn(e.getMessage()), "is not a template: " + e.getMessage());
    }
  }

  /**
   * The text, or why there is none; never throws.
   *
   * @param variables strings, numbers, booleans, lists and maps of them
   */
  public Rendered render(String template, Map<String, ?> variables) {
    Fault fault = compiled.containsKey(template) ? null : check(template);
    if (fault != null) {
      return new Failed(null, fault.message());
    }
    if (compiled.size() >= COMPILED_MAX) {
      compiled.clear();
    }
    Budget budget = new Budget(outputLengthMax);
    try {
      Object values = plain(variables, "variables", 0, budget);
      compiled.computeIfAbsent(template, COMPILER::compile).execute(values, budget);
      return new Text(budget.text.toString());
    } catch (Excess e) {
      return new Failed(e.variable, e.reason);
    } catch (MustacheException.Context e) {
      return new Failed(
          e.key, "the variable '" + e.key + "' of line " + e.lineNo + " was not given");
    } catch (MustacheException e) {
      return new Failed(null, "cannot be rendered: " + e.getMessage());
    }
  }

  /** A copy that holds values only, whose lists count how often they are walked. */
  private static Object plain(@Nullable Object value, String name, int depth, Budget budget) {
    if (depth > VARIABLE_DEPTH_MAX) {
      throw new Excess(name, "is nested over " + VARIABLE_DEPTH_MAX + " levels");
    }
    return switch (value) {
      case null -> "";
      case String text -> text;
      case Boolean flag -> flag;
      case Number number -> number;
      case Map<?, ?> map -> {
        Map<String, Object> copy = HashMap.newHashMap(map.size());
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          String key = String.valueOf(entry.getKey());
          budget.step(key);
          copy.put(key, plain(entry.getValue(), depth == 0 ? key : name, depth + 1, budget));
        }
        yield copy;
      }
      case List<?> list -> {
        List<Object> copy = new ArrayList<>(list.size());
        for (Object item : list) {
          budget.step(name);
          copy.add(plain(item, name, depth + 1, budget));
        }
        yield new Walked(copy, name, budget);
      }
      default -> throw new Excess(name, "must be a string, number, boolean, list or object");
    };
  }

  /** The end of a rendering that went too far. */
  private static final class Excess extends RuntimeException {
    private final transient @Nullable String variable;
    private final transient String reason;

    Excess(@Nullable String variable, String reason) {
      super(reason, null, false, false);
      this.variable = variable;
      this.reason = reason;
    }
  }

  /** What one rendering may still do. */
  private static final class Budget extends Writer {
    private final StringBuilder text = new StringBuilder();
    private final int lengthMax;
    private int steps;

    Budget(int lengthMax) {
      this.lengthMax = lengthMax;
    }

    void step(String name) {
      if (++steps > STEPS_MAX) {
        throw new Excess(name, "the template takes over " + STEPS_MAX + " steps");
      }
    }

    @Override
    public void write(char[] chars, int offset, int length) {
      if (text.length() + length > lengthMax) {
        throw new Excess(null, "the prompt is longer than " + lengthMax + " characters");
      }
      text.append(chars, offset, length);
    }

    @Override
    public void write(String chars, int offset, int length) {
      if (text.length() + length > lengthMax) {
        throw new Excess(null, "the prompt is longer than " + lengthMax + " characters");
      }
      text.append(chars, offset, offset + length);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  /** A list that counts its walks. */
  private record Walked(List<Object> items, String name, Budget budget) {
    Iterator<Object> iterator() {
      Iterator<Object> inner = items.iterator();
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return inner.hasNext();
        }

        @Override
        public Object next() {
          budget.step(name);
          return inner.next();
        }
      };
    }

    @Override
    public String toString() {
      return items.toString();
    }
  }

  /** Looks names up in maps; nothing that a template says reaches a method or a field. */
  private static final class MapsOnly implements Mustache.Collector {
    private static final Mustache.VariableFetcher FROM_MAP =
        (context, name) ->
            context instanceof Map<?, ?> map && map.containsKey(name)
                ? map.get(name)
                : Template.NO_FETCHER_FOUND;

    @Override
    public @Nullable Iterator<?> toIterator(Object value) {
      return switch (value) {
        case Walked list -> list.iterator();
        // What the library makes of a section that is absent.
        case List<?> empty when empty.isEmpty() -> empty.iterator();
        default -> null;
      };
    }

    @Override
    public Mustache.@Nullable VariableFetcher createFetcher(Object context, String name) {
      return context instanceof Map<?, ?> ? FROM_MAP : null;
    }

    @Override
    public <K, V> Map<K, V> createFetcherCache() {
      return new ConcurrentHashMap<>();
    }
  }
}
