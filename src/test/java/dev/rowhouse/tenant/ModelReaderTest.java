package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelReaderTest {
  private static final int SLOTS_DEFAULT = 4;

  @Test
  void aWholeBodyIsRead() {
    ModelSpec model =
        good(
            """
            {"engine": "openai", "base_url": "https://models.example:8443/v1",
             "upstream_model": "up", "api_key_ref": "env:UP_KEY", "slots_total": 12,
             "price": {"input_per_million": 0.15, "output_per_million": 0.6},
             "weights": {"input": 0.5, "output": 3}, "region": "eu", "owner": "acme"}
            """);
    assertEquals(
        new ModelSpec(
            "m",
            ModelSpec.OPENAI,
            "https://models.example:8443/v1",
            "up",
            "env:UP_KEY",
            0,
            12,
            0.15,
            0.6,
            0.5,
            3,
            "eu",
            new TenantId("acme")),
        model);
    assertEquals(model, good(TenantJson.model(model).toString()), "written and read again");
  }

  @Test
  void whatIsLeftOutHasItsDefault() {
    ModelSpec model = good("{\"engine\": \"embedded\"}");
    assertEquals(SLOTS_DEFAULT, model.slots());
    assertEquals(0, model.inputPerMillion());
    assertEquals(1, model.inputWeight());
    assertEquals(2, model.outputWeight());
    assertEquals(model, good(TenantJson.model(model).toString()), "written and read again");
  }

  @Test
  void aModelMayEmbedInThisProcess() {
    ModelSpec model = good("{\"engine\": \"embedding\", \"slots\": 2}");
    assertTrue(model.isEmbedder());
    assertEquals(model, good(TenantJson.model(model).toString()), "written and read again");
  }

  @Test
  void aModelSaysHowItsOutputIsEstimated() {
    assertEquals(Estimator.MOVING_MEAN, good("{\"engine\": \"embedded\"}").estimator());
    for (Estimator estimator : Estimator.values()) {
      ModelSpec model =
          good("{\"engine\": \"embedded\", \"estimator\": \"" + estimator.label() + "\"}");
      assertEquals(estimator, model.estimator());
      assertEquals(model, good(TenantJson.model(model).toString()), "written and read again");
    }
  }

  @ParameterizedTest(name = "{1} of {0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | engine | is missing: embedded, embedding or openai",
        "{\"engine\": \"embedding\", \"base_url\": \"http://h\"} | base_url | the engine"
            + " embedding has no upstream",
        "{\"engine\": \"anthropic\"} | engine | the engine anthropic is not available in this"
            + " version",
        "{\"engine\": \"llama\"} | engine | the engine llama is not available in this version",
        "{\"engine\": \"embedded\", \"estimator\": \"oracle\"} | estimator | must be zero,"
            + " moving_mean or max_tokens",
        "{\"engine\": \"magic\"} | engine | must be embedded, embedding or openai",
        "{\"engine\": \"openai\"} | base_url | is missing: the engine openai needs the upstream's"
            + " root",
        "{\"engine\": \"openai\", \"base_url\": \"ftp://h/v1\"} | base_url | must be an http or"
            + " https URL with a host",
        "{\"engine\": \"openai\", \"base_url\": \"http:///v1\"} | base_url | must be an http or"
            + " https URL with a host",
        "{\"engine\": \"openai\", \"base_url\": \"h:80\"} | base_url | must be an http or https URL"
            + " with a host",
        "{\"engine\": \"openai\", \"base_url\": \"http://a b\"} | base_url | must be an http or"
            + " https URL with a host",
        "{\"engine\": \"openai\", \"base_url\": \"http://u:p@h/\"} | base_url | must hold no"
            + " credentials: use api_key_ref",
        "{\"engine\": \"openai\", \"base_url\": \"http://h/?k=v\"} | base_url | must have no query"
            + " and no fragment",
        "{\"engine\": \"embedded\", \"base_url\": \"http://h\"} | base_url | the engine embedded"
            + " has no upstream",
        "{\"engine\": \"embedded\", \"api_key_ref\": \"sk-123\"} | api_key_ref | must be env:NAME"
            + " or file:PATH, never the key itself",
        "{\"engine\": \"embedded\", \"slots\": 0} | slots | must be between 1 and 10000",
        "{\"engine\": \"embedded\", \"slots\": 10001} | slots | must be between 1 and 10000",
        "{\"engine\": \"embedded\", \"slots\": \"8\"} | slots | must be a whole number",
        "{\"engine\": \"embedded\", \"slots\": 1, \"slots_total\": 1} | slots_total | excludes"
            + " slots: a model has slots per worker node or in total",
        "{\"engine\": \"embedded\", \"price\": {\"input_per_million\": -1}} |"
            + " price.input_per_million | must be between 0 and 1000000",
        "{\"engine\": \"embedded\", \"price\": {\"input\": 1}} | price.input | is not a known"
            + " field",
        "{\"engine\": \"embedded\", \"weights\": {\"output\": 0}} | weights.output | must be"
            + " greater than 0",
        "{\"engine\": \"embedded\", \"weights\": []} | weights | must be an object",
        "{\"engine\": \"embedded\", \"owner\": \"ACME\"} | owner | is not a tenant id",
        "{\"engine\": \"embedded\", \"name\": \"other\"} | name | must be the name in the path, or"
            + " absent",
        "{\"engine\": \"embedded\", \"slot\": 1} | slot | is not a known field"
      })
  void aMistakeIsNamedByItsField(String body, String field, String message) {
    assertEquals(
        List.of(new FieldError(field, message)),
        TenantSpecReaderTest.bad(ModelReader.read("m", Json.read(body), SLOTS_DEFAULT)));
  }

  @Test
  void aKeyThatWasPastedByMistakeIsNotRepeated() {
    List<FieldError> errors =
        TenantSpecReaderTest.bad(
            ModelReader.read(
                "m",
                Json.read("{\"engine\": \"embedded\", \"api_key_ref\": \"sk-secret\"}"),
                SLOTS_DEFAULT));
    assertFalse(errors.toString().contains("sk-secret"));
  }

  @ParameterizedTest
  @CsvSource({"a b", "/a", "''", "é"})
  void anUnfitNameIsRefused(String name) {
    assertEquals(
        "name",
        TenantSpecReaderTest.bad(
                ModelReader.read(name, Json.read("{\"engine\": \"embedded\"}"), SLOTS_DEFAULT))
            .getFirst()
            .field());
  }

  private static ModelSpec good(String body) {
    return TenantSpecReaderTest.value(ModelReader.read("m", Json.read(body), SLOTS_DEFAULT));
  }
}
