package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanReaderTest {
  private static final String LIMITS =
      "\"limits\": {\"requests_per_minute\": 1, \"tokens_per_minute\": 2,"
          + " \"concurrent_requests\": 3, \"queue_length\": 4}";

  @Test
  void aBodyIsReadAndWrittenAndReadAgain() {
    Plan plan = good("{\"weight\": 2, \"queue_timeout_ms\": 500, " + LIMITS + "}");
    assertEquals(new Plan("p", 2, new Limits(1L, 2L, 3L, null, null, 4L), 500), plan);
    assertEquals(plan, good(TenantJson.plan(plan).toString()));
  }

  @ParameterizedTest(name = "{1} of {0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "\"weight\": 0 | weight | must be greater than 0",
        "\"queue_timeout_ms\": -1 | queue_timeout_ms | must be between 0 and 600000",
        "\"price\": 1 | price | is not a known field"
      })
  void aMistakeIsNamedByItsField(String field, String path, String message) {
    assertEquals(
        List.of(new FieldError(path, message)),
        TenantSpecReaderTest.bad(
            PlanReader.read("p", Json.read("{" + field + ", " + LIMITS + "}"))));
  }

  @Test
  void aPlanLeavesNoLimitOpen() {
    List<FieldError> errors = TenantSpecReaderTest.bad(PlanReader.read("p", Json.read("{}")));
    assertEquals(
        List.of(
            "limits.requests_per_minute",
            "limits.tokens_per_minute",
            "limits.concurrent_requests",
            "limits.queue_length"),
        errors.stream().map(FieldError::field).toList());
  }

  @Test
  void aMistakeInConfIsNamedByItsPath() {
    Config broken =
        ConfigFactory.parseString("rowhouse.plans.free.limits.queue-length = -1")
            .withFallback(ConfigFactory.parseResources("tenant.conf"))
            .withFallback(ConfigFactory.parseResources("plans.conf"))
            .withFallback(ConfigFactory.parseResources("models.conf"));
    ConfigException e = assertThrows(ConfigException.class, () -> HouseCatalog.of(broken));
    assertTrue(
        String.valueOf(e.getMessage()).contains("rowhouse.plans.free.limits.queue_length"),
        e.getMessage());
  }

  private static Plan good(String body) {
    return TenantSpecReaderTest.value(PlanReader.read("p", Json.read(body)));
  }
}
