package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CsvTest {
  @ParameterizedTest(name = "value: {0}")
  @ValueSource(strings = {"", "plain", "-5", "-1.5e-3", "12", "a=b", "2026-03-10T12:00:00Z"})
  void leavesWhatIsHarmless(String value) {
    assertEquals(value, Csv.field(value));
  }

  @ParameterizedTest(name = "value: {0}")
  @ValueSource(strings = {"=1+1", "+1", "-1+1", "@SUM(A1)", "\tx", "--5"})
  void takesTheForceOutOfAFormula(String value) {
    assertEquals("'" + value, Csv.field(value));
  }

  @Test
  void quotesWhatWouldBreakTheLine() {
    assertEquals("\"a,b\"", Csv.field("a,b"));
    assertEquals("\"a\nb\"", Csv.field("a\nb"));
    assertEquals("\"say \"\"hi\"\"\"", Csv.field("say \"hi\""));
    assertEquals("\"'\rx\"", Csv.field("\rx"));
    assertEquals("\"'=HYPERLINK(\"\"x\"\",1)\"", Csv.field("=HYPERLINK(\"x\",1)"));
  }
}
