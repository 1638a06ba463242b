package dev.rowhouse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What an operator reads, and what a script goes by. */
class LinePrinterTest {
  /** What was printed, and the exit code. */
  private record Printed(int exitCode, List<String> out, List<String> err) {}

  private static Printed printed(boolean json, String... lines) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    LinePrinter printer =
        new LinePrinter(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            json);
    for (String line : lines) {
      printer.line(line.replace('\'', '"'));
    }
    int exitCode = printer.end();
    return new Printed(exitCode, lines(out), lines(err));
  }

  private static List<String> lines(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void aReconciliationIsATableOfDifferencesAndOneOfSums() {
    Printed printed =
        printed(
            false,
            "{'type':'progress','tenants':100,'last':'acme'}",
            "{'type':'difference','tenant':'acme','kind':'table','repaired':true}",
            "{'type':'difference','tenant':'bolt','kind':'table','repaired':true}",
            "{'type':'done','tenants':2,'differing':2,'repaired':2,'failures':0}");
    assertEquals(
        List.of(
            "tenant  kind   repaired",
            "acme    table  true",
            "bolt    table  true",
            "tenants  differing  repaired  failures",
            "2        2          2         0"),
        printed.out());
    assertEquals(List.of("tenants 100, last acme"), printed.err());
    assertEquals(1, printed.exitCode());
  }

  @Test
  void nothingWrongIsSuccess() {
    assertEquals(0, printed(false, "{'type':'done','differing':0,'failures':0}").exitCode());
    assertEquals(0, printed(false, "{'type':'done','intact':true,'faults':0}").exitCode());
    assertEquals(0, printed(true, "{'end':{'complete':true,'equal':true}}").exitCode());
  }

  @Test
  void anythingWrongIsNot() {
    for (String line :
        List.of(
            "{'type':'done','intact':false}",
            "{'type':'done','differing':1}",
            "{'type':'done','failures':1}",
            "{'end':{'complete':false,'equal':true}}",
            "{'end':{'complete':true,'equal':false}}")) {
      assertEquals(1, printed(false, line).exitCode(), line);
    }
    for (String line :
        List.of(
            "{'type':'fault','log':'audit','kind':'changed','entry':5}",
            "{'type':'failure','tenant':'acme','message':'away'}",
            "{'type':'audit','intact':false}",
            "{'error':{'detail':'away'}}")) {
      assertEquals(1, printed(false, line, "{'type':'done'}").exitCode(), line);
    }
  }

  @Test
  void anAnswerWithoutItsLastLineIsNoSuccess() {
    Printed printed = printed(true, "{'result':{'tenant':'acme'}}");
    assertEquals(1, printed.exitCode());
    assertTrue(printed.err().getFirst().contains("before its last line"), printed.toString());
  }
}
