package dev.rowhouse.replay;

import dev.rowhouse.usage.UsageRecord;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a million tokens of each model cost, in the unit of the price list. */
public record PriceList(Map<String, Price> models) {
  public PriceList {
    models = Map.copyOf(models);
  }

  /** Prices of one model. */
  public record Price(double inputPerMillion, double outputPerMillion) {}

  /** The model that a record is priced by: the one that answered, else the one asked. */
  static String modelOf(UsageRecord record) {
    return record.answeredBy().isEmpty() ? record.modelAsked() : record.answeredBy();
  }

  /**
   * What the record costs by this list, in millionths of the unit, rounded as each request is when
   * it is served; null when the list lacks its model. What spent no tokens costs nothing whatever
   * its model, and what a cache answered keeps its price: no model ran.
   */
  @Nullable Long micros(UsageRecord record) {
    if (record.tokens() == 0) {
      return 0L;
    }
    if (!record.cache().equals(UsageRecord.MISS)) {
      return record.costMicros();
    }
    Price price = models.get(modelOf(record));
    return price == null
        ? null
        : Math.round(
            record.inputTokens() * price.inputPerMillion()
                + record.outputTokens() * price.outputPerMillion());
  }
}
