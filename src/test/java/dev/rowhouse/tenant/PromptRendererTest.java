package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.samskivert.mustache.Mustache;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptRendererTest {
  private final PromptRenderer renderer = new PromptRenderer(10_000);

  @Test
  void writesVariablesAsTheyAre() {
    assertEquals(
        "Hello <b>\"Ann\" & Bob</b>, 3 true",
        text(
            "Hello {{name}}, {{count}} {{flag}}",
            Map.of("name", "<b>\"Ann\" & Bob</b>", "count", 3, "flag", true)));
  }

  @Test
  void aVariableIsNotATemplate() {
    assertEquals("{{secret}}", text("{{a}}", Map.of("a", "{{secret}}", "secret", "x")));
  }

  @Test
  void walksListsAndMaps() {
    assertEquals(
        "1. one;2. two;",
        text(
            "{{#items}}{{-index}}. {{text.value}};{{/items}}",
            Map.of(
                "items",
                List.of(
                    Map.of("text", Map.of("value", "one")),
                    Map.of("text", Map.of("value", "two"))))));
    assertEquals("a,b,", text("{{#l}}{{.}},{{/l}}", Map.of("l", List.of("a", "b"))));
  }

  @Test
  void aSectionMayBeAbsentAndAVariableMayNot() {
    assertEquals("!", text("{{#name}}Hello {{name}}{{/name}}!", Map.of()));
    assertEquals("nobody", text("{{^name}}nobody{{/name}}", Map.of()));
    PromptRenderer.Failed failed = failed("Dear\n{{name}}", Map.of());
    assertEquals("name", failed.variable());
    assertEquals("the variable 'name' of line 2 was not given", failed.message());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "class", "getClass", "name.class", "name.length", "name.bytes", "map.entrySet", "map.size",
        "list.size", "list.0", "list.items", "hashCode", "toString", "class.classLoader",
            "map.class.name"
      })
  void reachesNoMethodAndNoField(String name) {
    PromptRenderer.Failed failed =
        failed(
            "{{" + name + "}}", Map.of("name", "x", "map", Map.of("k", "v"), "list", List.of("a")));
    assertNotNull(failed.variable());
  }

  @Test
  void takesNoCode() {
    Mustache.Lambda lambda = (fragment, out) -> out.write("run");
    PromptRenderer.Failed failed = failed("{{#f}}x{{/f}}", Map.of("f", lambda));
    assertEquals("f", failed.variable());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "{{#a}} | 1",
        "x\\n\\n{{/a}} | 3",
        "x\\n{{#a}}{{/b}} | 2",
        "x\\n{{> other}} | 2",
        "{{<parent}}{{/parent}} | 1",
        "{{=<% %>=}} | 1",
        "x\\n{{}} | 2",
        "x\\ny {{a | 2"
      })
  void anUnfitTemplateIsRefusedWithItsLine(String template, int line) {
    PromptRenderer.Fault fault = PromptRenderer.check(template.strip().replace("\\n", "\n"));
    assertNotNull(fault);
    assertEquals(line, fault.line(), fault.message());
    assertTrue(fault.message().contains("line " + line), fault.message());
  }

  @Test
  void sectionsNestSoDeepAndNoDeeper() {
    assertNull(PromptRenderer.check(nested(PromptRenderer.NESTING_MAX)));
    assertNotNull(PromptRenderer.check(nested(PromptRenderer.NESTING_MAX + 1)));
    assertNotNull(PromptRenderer.check("{{#a}}".repeat(100_000)));
  }

  @Test
  void listsInListsDoNotMultiplyForEver() {
    List<String> many = Collections.nCopies(1_000, "x");
    PromptRenderer.Failed failed = failed(nested(8), Map.of("a", many));
    assertEquals("a", failed.variable());
  }

  @Test
  void theOutputIsBounded() {
    PromptRenderer.Failed failed = failed("{{a}}{{a}}", Map.of("a", "x".repeat(6_000)));
    assertTrue(failed.message().contains("10000"), failed.message());
  }

  @Test
  void variablesNestSoDeepAndNoDeeper() {
    Object deep = "x";
    for (int i = 0; i < 1_000; i++) {
      deep = new ArrayList<>(List.of(deep));
    }
    assertEquals("a", failed("x", Map.of("a", deep)).variable());
  }

  private static String nested(int depth) {
    return "{{#a}}".repeat(depth) + "{{/a}}".repeat(depth);
  }

  private String text(String template, Map<String, ?> variables) {
    return assertInstanceOf(PromptRenderer.Text.class, renderer.render(template, variables)).text();
  }

  private PromptRenderer.Failed failed(String template, Map<String, ?> variables) {
    return assertInstanceOf(PromptRenderer.Failed.class, renderer.render(template, variables));
  }
}
