package dev.rowhouse;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Prints the lines of an answer: progress to standard error as it comes, results to standard
 * output, as tables or as the JSON that they are. It remembers whether anything was wrong.
 */
final class LinePrinter {
  private static final JsonMapper MAPPER = new JsonMapper();

  /** Rows that wait for the width of their columns; then a table is printed as far as it is. */
  private static final int ROWS_MAX = 1_000;

  private final PrintStream out;
  private final PrintStream err;
  private final boolean json;
  private final List<JsonNode> rows = new ArrayList<>();
  private String kindOfRows = "";
  private boolean isWrong;
  private boolean hasEnd;

  LinePrinter(PrintStream out, PrintStream err, boolean json) {
    this.out = out;
    this.err = err;
    this.json = json;
  }

  /** One line of the answer. */
  void line(String text) {
    if (text.isBlank()) {
      return;
    }
    JsonNode line;
    try {
      line = MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new CommandFailure(1, "the answer has a line that is no JSON: " + text);
    }
    String kind = kind(line);
    if (kind.equals("progress")) {
      progress(line.path("progress").isObject() ? line.path("progress") : line);
      return;
    }
    judge(kind, line);
    if (json) {
      out.println(text);
    } else {
      show(kind, line);
    }
  }

  /** Replays have one member a line, whose name says what it is; other answers have a type. */
  private static String kind(JsonNode line) {
    if (line.path("type").isTextual()) {
      return line.path("type").asText();
    }
    return line.size() == 1 ? line.fieldNames().next() : "result";
  }

  private void progress(JsonNode progress) {
    StringBuilder text = new StringBuilder();
    progress
        .properties()
        .forEach(
            one -> {
              if (!one.getKey().equals("type")) {
                text.append(text.isEmpty() ? "" : ", ")
                    .append(one.getKey().replace('_', ' '))
                    .append(' ')
                    .append(one.getValue().asText());
              }
            });
    err.println(text);
  }

  private void judge(String kind, JsonNode line) {
    switch (kind) {
      case "end", "done" -> {
        hasEnd = true;
        JsonNode end = line.path("end").isObject() ? line.path("end") : line;
        isWrong |=
            !end.path("complete").asBoolean(true)
                || !end.path("equal").asBoolean(true)
                || !end.path("intact").asBoolean(true)
                || end.path("differing").asLong(0) > 0
                || end.path("failures").asLong(0) > 0;
      }
      case "error", "failed", "failure", "difference", "fault" -> isWrong = true;
      default -> isWrong |= !line.path("intact").asBoolean(true);
    }
  }

  private void show(String kind, JsonNode line) {
    switch (kind) {
      case "result", "difference" -> {
        JsonNode row = line.path("result").isObject() ? line.path("result") : line;
        row(kind, row);
        row.path("faults").forEach(fault -> err.println("rowhouse: " + fault(fault)));
      }
      case "done" -> {
        row(kind, line);
        flush();
      }
      case "error" -> {
        flush();
        err.println("rowhouse: " + line.path("error").path("detail").asText(line.toString()));
      }
      case "failed", "failure" -> {
        JsonNode failed = line.path("failed").isObject() ? line.path("failed") : line;
        err.println(
            "rowhouse: the journal of "
                + failed.path("tenant").asText()
                + " cannot be read: "
                + failed.path("reason").asText(failed.path("message").asText()));
      }
      default -> {
        flush();
        out.println(kind + ": " + flat(line.size() == 1 ? line.path(kind) : line));
      }
    }
  }

  /** Rows of one kind are one table. */
  private void row(String kind, JsonNode row) {
    if (rows.size() >= ROWS_MAX || !kind.equals(kindOfRows)) {
      flush();
    }
    kindOfRows = kind;
    rows.add(row);
  }

  private static String fault(JsonNode fault) {
    return "tenant "
        + fault.path("tenant").asText()
        + ", segment "
        + fault.path("segment").asText()
        + ", sequence number "
        + fault.path("sequence").asText()
        + ": "
        + fault.path("reason").asText();
  }

  private static String flat(JsonNode node) {
    StringBuilder text = new StringBuilder();
    cells(
        "",
        node,
        (name, value) ->
            text.append(text.isEmpty() ? "" : ", ")
                .append(name.replace('_', ' '))
                .append(' ')
                .append(value));
    return text.toString();
  }

  private interface Cell {
    void cell(String name, String value);
  }

  private static void cells(String path, JsonNode node, Cell cell) {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      String name = path.isEmpty() ? field.getKey() : path + "." + field.getKey();
      if (field.getKey().equals("faults") || field.getKey().equals("type")) {
        continue;
      }
      if (field.getValue().isObject()) {
        cells(name, field.getValue(), cell);
      } else {
        JsonNode value = field.getValue();
        cell.cell(name, value.isContainerNode() ? value.toString() : value.asText());
      }
    }
  }

  /** The rows so far, as a table with as many columns as any of them has. */
  private void flush() {
    if (rows.isEmpty()) {
      return;
    }
    Set<String> columns = new LinkedHashSet<>();
    List<Map<String, String>> table = new ArrayList<>();
    for (JsonNode row : rows) {
      Map<String, String> cells = new HashMap<>();
      cells("", row, cells::put);
      cells("", row, (name, value) -> columns.add(name));
      table.add(cells);
    }
    rows.clear();
    List<String> names = List.copyOf(columns);
    int[] widths = names.stream().mapToInt(String::length).toArray();
    for (Map<String, String> row : table) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.getOrDefault(names.get(i), "").length());
      }
    }
    print(names, widths);
    table.forEach(
        row -> print(names.stream().map(name -> row.getOrDefault(name, "")).toList(), widths));
  }

  private void print(List<String> cells, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String format = "%-" + Math.max(1, widths[i]) + "s";
      line.append(i == 0 ? "" : "  ").append(format.formatted(cells.get(i)));
    }
    out.println(line.toString().stripTrailing());
  }

  /** Prints what is left; the exit code by what was in the lines. */
  int end() {
    flush();
    if (!hasEnd && !isWrong) {
      err.println("rowhouse: the answer ended before its last line");
    }
    return hasEnd && !isWrong ? 0 : 1;
  }
}
