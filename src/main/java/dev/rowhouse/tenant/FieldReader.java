package dev.rowhouse.tenant;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads one object of a JSON body and notes what is wrong, by path, instead of throwing. A field
 * that is absent or null reads as absent; {@link #close} reports the fields that nobody read.
 */
public final class FieldReader {
  /** A body with more mistakes than this is not a body that somebody will mend line by line. */
  private static final int ERRORS_MAX = 20;

  private final JsonNode object;
  private final String path;
  private final List<FieldError> errors;
  private final Set<String> known = new HashSet<>();

  private FieldReader(JsonNode node, String path, List<FieldError> errors) {
    this.path = path;
    this.errors = errors;
    if (node.isObject()) {
      this.object = node;
    } else {
      this.object = JsonNodeFactory.instance.objectNode();
      add(path, "must be an object");
    }
  }

  public static FieldReader of(JsonNode body) {
    return new FieldReader(body, "", new ArrayList<>());
  }

  public void error(String field, String message) {
    add(pathOf(field), message);
  }

  private void add(String at, String message) {
    if (errors.size() < ERRORS_MAX) {
      errors.add(new FieldError(at, message));
    }
  }

  public boolean isClean() {
    return errors.isEmpty();
  }

  /** What is wrong so far, in the order of reading. */
  public List<FieldError> errors() {
    return List.copyOf(errors);
  }

  public <T> Checked<T> bad() {
    return new Checked.Bad<>(errors);
  }

  /** The field, or nothing when it is absent or null. */
  public @Nullable JsonNode node(String field) {
    known.add(field);
    JsonNode node = object.get(field);
    return node == null || node.isNull() ? null : node;
  }

  /** A reader of that object; an absent one has no fields. */
  public FieldReader object(String field) {
    JsonNode node = node(field);
    return new FieldReader(
        node == null ? JsonNodeFactory.instance.objectNode() : node, pathOf(field), errors);
  }

  public @Nullable String text(String field, int lengthMax) {
    JsonNode node = node(field);
    if (node == null) {
      return null;
    }
    if (!node.isTextual()) {
      error(field, "must be a string");
      return null;
    }
    String text = node.textValue();
    if (text.isBlank()) {
      error(field, "must not be empty");
      return null;
    }
    if (text.length() > lengthMax) {
      error(field, "must have at most " + lengthMax + " characters");
      return null;
    }
    return text;
  }

  public @Nullable Long integer(String field, long min, long max) {
    JsonNode node = node(field);
    if (node == null) {
      return null;
    }
    if (!node.isIntegralNumber()) {
      error(field, "must be a whole number");
      return null;
    }
    if (!node.canConvertToLong() || node.longValue() < min || node.longValue() > max) {
      error(field, "must be between " + min + " and " + max);
      return null;
    }
    return node.longValue();
  }

  public int integer(String field, int min, int max, int otherwise) {
    Long read = integer(field, (long) min, (long) max);
    return read == null ? otherwise : Math.toIntExact(read);
  }

  public @Nullable Double number(String field, double min, double max) {
    JsonNode node = node(field);
    if (node == null) {
      return null;
    }
    if (!node.isNumber()) {
      error(field, "must be a number");
      return null;
    }
    double value = node.doubleValue();
    if (!(value >= min && value <= max)) {
      error(field, "must be between " + plain(min) + " and " + plain(max));
      return null;
    }
    return value;
  }

  public double number(String field, double min, double max, double otherwise) {
    Double read = number(field, min, max);
    return read == null ? otherwise : read;
  }

  /** A number for which zero is too small. */
  @Nullable Double positive(String field, double max) {
    JsonNode node = node(field);
    if (node != null && node.isNumber() && !(node.doubleValue() > 0)) {
      error(field, "must be greater than 0");
      return null;
    }
    return number(field, 0, max);
  }

  public boolean flag(String field, boolean otherwise) {
    JsonNode node = node(field);
    if (node == null) {
      return otherwise;
    }
    if (!node.isBoolean()) {
      error(field, "must be true or false");
      return otherwise;
    }
    return node.booleanValue();
  }

  /** A list of different texts. */
  public List<String> texts(String field, int countMax, int lengthMax) {
    JsonNode node = node(field);
    if (node == null) {
      return List.of();
    }
    if (!node.isArray()) {
      error(field, "must be a list of strings");
      return List.of();
    }
    if (node.size() > countMax) {
      error(field, "must have at most " + countMax + " entries");
      return List.of();
    }
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < node.size(); i++) {
      JsonNode item = node.get(i);
      String at = field + "[" + i + "]";
      if (!item.isTextual() || item.textValue().isBlank()) {
        error(at, "must be a string that is not empty");
      } else if (item.textValue().length() > lengthMax) {
        error(at, "must have at most " + lengthMax + " characters");
      } else if (texts.contains(item.textValue())) {
        error(at, "is there twice");
      } else {
        texts.add(item.textValue());
      }
    }
    return texts;
  }

  /** How one entry of an object with free names is read. */
  public interface EntryReader<T> {
    @Nullable T read(FieldReader entries, String name);
  }

  /** An object whose names are free. */
  public <T> Map<String, T> entries(
      String field, int countMax, int nameLengthMax, EntryReader<T> reader) {
    FieldReader entries = object(field);
    if (entries.object.size() > countMax) {
      error(field, "must have at most " + countMax + " entries");
      return Map.of();
    }
    Map<String, T> read = new HashMap<>();
    for (String name : new TreeSet<>(names(entries.object))) {
      if (name.isBlank() || name.length() > nameLengthMax) {
        error(field, "has a name that is empty or has over " + nameLengthMax + " characters");
        continue;
      }
      T value = reader.read(entries, name);
      if (value != null) {
        read.put(name, value);
      }
    }
    return read;
  }

  /** Reports the fields that nobody read: a mistyped name must not be ignored in silence. */
  public void close() {
    for (String name : names(object)) {
      if (!known.contains(name)) {
        error(shorten(name), "is not a known field");
      }
    }
  }

  private static List<String> names(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private String pathOf(String field) {
    return path.isEmpty() ? field : path + "." + field;
  }

  /** A name comes back in an error, which must stay small. */
  private static String shorten(String name) {
    return name.length() <= 100 ? name : name.substring(0, 100) + "...";
  }

  private static String plain(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1e15
        ? Long.toString((long) number)
        : Double.toString(number);
  }
}
