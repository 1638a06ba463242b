package dev.rowhouse.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.rowhouse.usage.UsageRecord;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class PriceListTest {
  private static final PriceList LIST =
      new PriceList(Map.of("small", new PriceList.Price(0.3, 1.25)));

  @Test
  void roundsEachRequestAsServingDoes() {
    assertEquals(Math.round(7 * 0.3 + 3 * 1.25), LIST.micros(Records.of("asked", "small", 7, 3)));
  }

  @Test
  void pricesByTheModelThatAnswered() {
    assertNull(LIST.micros(Records.of("small", "large", 7, 3)));
    assertEquals(0L, LIST.micros(Records.of("large", "large", 0, 0)), "nothing costs nothing");
    assertEquals(6L, LIST.micros(Records.of("small", "", 7, 3)), "asked, when none answered");
  }

  @Test
  void whatACacheAnsweredKeepsItsPrice() {
    UsageRecord record = Records.of("small", "small", 7, 3);
    UsageRecord cached =
        new UsageRecord(
            record.attempt(),
            record.timeMillis(),
            record.keyId(),
            record.modelAsked(),
            record.answeredBy(),
            record.inputTokens(),
            record.outputTokens(),
            record.status(),
            record.httpStatus(),
            null,
            false,
            false,
            5,
            5,
            0,
            "exact",
            null,
            0,
            0);
    assertEquals(0L, LIST.micros(cached));
  }
}
