package dev.rowhouse.retrieval;

import static dev.rowhouse.retrieval.AttributeFilter.Operator.EQ;
import static dev.rowhouse.retrieval.AttributeFilter.Operator.GT;
import static dev.rowhouse.retrieval.AttributeFilter.Operator.GTE;
import static dev.rowhouse.retrieval.AttributeFilter.Operator.LT;
import static dev.rowhouse.retrieval.AttributeFilter.Operator.LTE;
import static dev.rowhouse.retrieval.AttributeFilter.Operator.NE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AttributeFilterTest {
  private static final Map<String, Object> ATTRIBUTES =
      Map.of("year", 2024L, "rating", 4.5, "lang", "en", "draft", false);

  private static boolean is(AttributeFilter.Operator operator, String key, Object value) {
    return new AttributeFilter.Comparison(operator, key, value).matches(ATTRIBUTES);
  }

  @Test
  void comparesNumbersWhateverTheirType() {
    assertTrue(is(EQ, "year", 2024) && is(EQ, "year", 2024.0) && is(GT, "year", 2023.9));
    assertTrue(is(GTE, "rating", 4.5) && is(LTE, "rating", 4.5) && is(LT, "rating", 5));
    assertFalse(is(GT, "rating", 4.5));
  }

  @Test
  void comparesTextsAndBooleans() {
    assertTrue(is(EQ, "lang", "en") && is(NE, "lang", "de") && is(EQ, "draft", false));
  }

  @Test
  void takesAnAbsentOrForeignTypeAsEqualToNothing() {
    assertFalse(is(EQ, "owner", "a") || is(LT, "owner", "a") || is(EQ, "year", "2024"));
    assertTrue(is(NE, "owner", "a") && is(NE, "year", "2024"));
  }

  @Test
  void joinsConditions() {
    AttributeFilter year = new AttributeFilter.Comparison(EQ, "year", 2024L);
    AttributeFilter german = new AttributeFilter.Comparison(EQ, "lang", "de");
    assertFalse(new AttributeFilter.And(List.of(year, german)).matches(ATTRIBUTES));
    assertTrue(new AttributeFilter.Or(List.of(year, german)).matches(ATTRIBUTES));
    assertTrue(new AttributeFilter.In("lang", List.of("de", "en"), false).matches(ATTRIBUTES));
    assertFalse(new AttributeFilter.In("lang", List.of("de", "en"), true).matches(ATTRIBUTES));
  }

  @Test
  void knowsItsDepthAndSize() {
    AttributeFilter one = new AttributeFilter.Comparison(EQ, "year", 1L);
    AttributeFilter nested =
        new AttributeFilter.And(List.of(one, new AttributeFilter.Or(List.of(one, one))));
    assertEquals(3, nested.depth());
    assertEquals(3, nested.conditions());
  }

  @Test
  void refusesAValueThatIsNone() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new AttributeFilter.Comparison(EQ, "year", List.of(1)));
  }
}
