package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TenantSpecReaderTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final TenantId ACME = new TenantId("acme");
  private static final Catalog CATALOG =
      new Catalog(
          1,
          Map.of(
              "fast", model("fast", null),
              "slow", model("slow", null),
              "theirs", model("theirs", new TenantId("globex"))),
          Map.of("free", new Plan("free", 1, Limits.UNSET, 1000)));

  @Test
  void anEmptyBodyIsTheDefaults() throws Exception {
    assertEquals(TenantSpec.DEFAULTS, good("{}"));
  }

  @Test
  void aWholeBodyIsRead() throws Exception {
    TenantSpec spec =
        good(
            """
            {"display_name": "Acme", "plan": "free", "weight": 2.5,
             "limits": {"requests_per_minute": 10, "tokens_per_minute": 20,
               "concurrent_requests": 3, "tokens_per_month": 40, "spend_per_month": 5.5,
               "queue_length": 6},
             "reservation": {"slots": 2},
             "models": {"default": "chat", "allow": ["fast", "slow"], "aliases": {"chat": "fast"},
               "fallbacks": {"fast": ["slow"]}},
             "prompts": {"a": "Hello {{name}}",
               "b": {"template": "T", "description": "of two"}},
             "cache": {"mode": "semantic", "threshold": 0.9, "ttl_seconds": 60, "entries": 10},
             "retrieval": {"stores": ["default", "vs_1"], "top_k": 7},
             "content_log": true}
            """);
    assertEquals("Acme", spec.displayName());
    assertEquals("free", spec.plan());
    assertEquals(2.5, spec.weight());
    assertEquals(new Limits(10L, 20L, 3L, 40L, 5.5, 6L), spec.limits());
    assertEquals(2, spec.reservationSlots());
    assertEquals("chat", spec.defaultModel());
    assertEquals(List.of("fast", "slow"), spec.allowedModels());
    assertEquals(Map.of("chat", "fast"), spec.aliases());
    assertEquals(Map.of("fast", List.of("slow")), spec.fallbacks());
    assertEquals(new TenantSpec.PromptText("T", "of two"), spec.prompts().get("b"));
    assertEquals(new TenantProfile.CacheSettings("semantic", 0.9, 60, 10), spec.cache());
    assertEquals(
        new TenantProfile.RetrievalSettings(List.of("default", "vs_1"), 7), spec.retrieval());
    assertTrue(spec.contentLog());
    assertEquals(spec, good(TenantJson.spec(spec).toString()), "written and read again");
  }

  @Test
  void aShareIsReserved() throws Exception {
    TenantSpec spec = good("{\"reservation\": {\"share\": 0.8}}");
    assertEquals(new Reservation(0, 0.8), spec.reservation());
    assertEquals(spec, good(TenantJson.spec(spec).toString()), "written and read again");
    assertEquals(Reservation.NONE, good("{\"reservation\": null}").reservation());
  }

  @ParameterizedTest(name = "{1} of {0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[] | `` | must be an object",
        "{\"plann\": \"free\"} | plann | is not a known field",
        "{\"limits\": {\"request_per_minute\": 1}} | limits.request_per_minute | is not a known"
            + " field",
        "{\"limits\": 5} | limits | must be an object",
        "{\"limits\": {\"requests_per_minute\": \"10\"}} | limits.requests_per_minute | must be a"
            + " whole number",
        "{\"limits\": {\"requests_per_minute\": 1.5}} | limits.requests_per_minute | must be a"
            + " whole number",
        "{\"limits\": {\"tokens_per_minute\": -1}} | limits.tokens_per_minute | must be between 0"
            + " and 1000000000000",
        "{\"limits\": {\"tokens_per_minute\": 1e300}} | limits.tokens_per_minute | must be a whole"
            + " number",
        "{\"limits\": {\"tokens_per_minute\": 99999999999999999999}} | limits.tokens_per_minute |"
            + " must be between 0 and 1000000000000",
        "{\"limits\": {\"spend_per_month\": -0.5}} | limits.spend_per_month | must be between 0 and"
            + " 1000000000000",
        "{\"limits\": {\"spend_per_month\": 1e999}} | limits.spend_per_month | must be between 0"
            + " and 1000000000000",
        "{\"display_name\": 5} | display_name | must be a string",
        "{\"display_name\": \"  \"} | display_name | must not be empty",
        "{\"plan\": \"gold\"} | plan | there is no plan gold",
        "{\"weight\": 0} | weight | must be greater than 0",
        "{\"weight\": -3} | weight | must be greater than 0",
        "{\"weight\": \"2\"} | weight | must be a number",
        "{\"weight\": 1e9} | weight | must be between 0 and 10000",
        "{\"reservation\": {\"slots\": -1}} | reservation.slots | must be between 1 and 10000",
        "{\"reservation\": {\"slots\": 0}} | reservation.slots | must be between 1 and 10000",
        "{\"reservation\": {\"share\": 0}} | reservation.share | must be greater than 0",
        "{\"reservation\": {\"share\": 0.81}} | reservation.share | must be between 0 and 0.8",
        "{\"reservation\": {\"slots\": 1, \"share\": 0.1}} | reservation.share | excludes slots: a"
            + " reservation is slots of each pool or a share of it",
        "{\"reservation\": {\"slot\": 1}} | reservation.slot | is not a known field",
        "{\"models\": {\"default\": \"none\"}} | models.default | there is no model none",
        "{\"models\": {\"default\": \"theirs\"}} | models.default | there is no model theirs",
        "{\"models\": {\"allow\": [\"fast\", \"none\"]}} | models.allow[1] | there is no model"
            + " none",
        "{\"models\": {\"allow\": \"fast\"}} | models.allow | must be a list of strings",
        "{\"models\": {\"allow\": [1]}} | models.allow[0] | must be a string that is not empty",
        "{\"models\": {\"allow\": [\"fast\", \"fast\"]}} | models.allow[1] | is there twice",
        "{\"models\": {\"aliases\": {\"a\": \"none\"}}} | models.aliases.a | there is no model"
            + " none",
        "{\"models\": {\"aliases\": {\"a\": 1}}} | models.aliases.a | must be a string",
        "{\"models\": {\"fallbacks\": {\"fast\": [\"fast\"]}}} | models.fallbacks.fast[0] | a model"
            + " cannot be its own fallback",
        "{\"models\": {\"routes\": {}}} | models.routes | is not a known field",
        "{\"prompts\": {\"a b\": \"x\"}} | prompts.a b | is not a name of a prompt: letters,"
            + " digits, '.', '-' and '_' only",
        "{\"prompts\": {\"a\": 1}} | prompts.a | must be the template, or an object with template"
            + " and description",
        "{\"prompts\": {\"a\": {\"description\": \"x\"}}} | prompts.a.template | is missing",
        "{\"prompts\": {\"a\": {\"template\": \"x\", \"more\": 1}}} | prompts.a.more | is not a"
            + " known field",
        "{\"prompts\": {\"a\": \"one\\n"
            + "{{> two}}\"}} | prompts.a | line 2: other templates cannot be included",
        "{\"cache\": {\"mode\": \"fuzzy\"}} | cache.mode | must be off, exact or semantic",
        "{\"cache\": {\"threshold\": 1.1}} | cache.threshold | must be between 0 and 1",
        "{\"cache\": {\"ttl_seconds\": 0}} | cache.ttl_seconds | must be between 1 and 2592000",
        "{\"cache\": {\"entries\": -1}} | cache.entries | must be between 0 and 10000",
        "{\"retrieval\": {\"top_k\": 0}} | retrieval.top_k | must be between 1 and 50",
        "{\"retrieval\": {\"stores\": {}}} | retrieval.stores | must be a list of strings",
        "{\"content_log\": \"yes\"} | content_log | must be true or false"
      })
  void aMistakeIsNamedByItsField(String body, String field, String message) throws Exception {
    assertEquals(List.of(new FieldError(field, message)), bad(read(body)));
  }

  @Test
  void allMistakesAreNamedAtOnce() throws Exception {
    List<FieldError> errors = bad(read("{\"plan\": 1, \"weight\": 0, \"x\": 1}"));
    assertEquals(List.of("plan", "weight", "x"), errors.stream().map(FieldError::field).toList());
  }

  @Test
  void theNumberOfMistakesIsBounded() throws Exception {
    StringBuilder body = new StringBuilder("{\"f0\": 1");
    for (int i = 1; i < 1_000; i++) {
      body.append(", \"f").append(i).append("\": 1");
    }
    assertEquals(20, bad(read(body + "}")).size());
  }

  @Nested
  class APatch {
    @Test
    void changesWhatItNamesAndNothingElse() throws Exception {
      TenantSpec spec = good("{\"weight\": 2, \"limits\": {\"requests_per_minute\": 10}}");
      TenantSpec merged =
          merged(spec, "{\"limits\": {\"tokens_per_minute\": 5}, \"display_name\": \"A\"}");
      assertEquals(2.0, merged.weight());
      assertEquals("A", merged.displayName());
      assertEquals(new Limits(10L, 5L, null, null, null, null), merged.limits());
    }

    @Test
    void resetsWithNull() throws Exception {
      TenantSpec spec =
          good(
              """
              {"weight": 2, "plan": "free", "cache": {"mode": "off", "ttl_seconds": 5},
               "prompts": {"a": "A", "b": "B"}}
              """);
      TenantSpec merged =
          merged(
              spec, "{\"weight\": null, \"cache\": {\"mode\": null}, \"prompts\": {\"a\": null}}");
      assertEquals(null, merged.weight());
      assertEquals("free", merged.plan());
      assertEquals("exact", merged.cache().mode());
      assertEquals(5, merged.cache().ttlSeconds());
      assertEquals(java.util.Set.of("b"), merged.prompts().keySet());
    }

    @Test
    void reservesInTheOtherWay() throws Exception {
      TenantSpec slots = good("{\"reservation\": {\"slots\": 2}}");
      TenantSpec share = merged(slots, "{\"reservation\": {\"share\": 0.25}}");
      assertEquals(new Reservation(0, 0.25), share.reservation());
      assertEquals(slots, merged(share, "{\"reservation\": {\"slots\": 2}}"));
      assertEquals(Reservation.NONE, merged(share, "{\"reservation\": null}").reservation());
    }

    @Test
    void ofADescriptionKeepsTheTemplate() throws Exception {
      TenantSpec merged =
          merged(
              good("{\"prompts\": {\"a\": \"A\"}}"),
              "{\"prompts\": {\"a\": {\"description\": \"d\"}}}");
      assertEquals(new TenantSpec.PromptText("A", "d"), merged.prompts().get("a"));
    }

    @Test
    void isRefusedForAnUnknownField() throws Exception {
      Checked<TenantPatch> patch =
          TenantSpecReader.readPatch(json("{\"limits\": {\"x\": null}}"), ACME, CATALOG);
      assertEquals(List.of(new FieldError("limits.x", "is not a known field")), bad(patch));
    }

    private TenantSpec merged(TenantSpec spec, String body) throws Exception {
      TenantPatch patch = value(TenantSpecReader.readPatch(json(body), ACME, CATALOG));
      return value(TenantSpecReader.merge(ACME, spec, patch));
    }
  }

  private static ModelSpec model(String name, @org.jspecify.annotations.Nullable TenantId owner) {
    return new ModelSpec(
        name, ModelSpec.EMBEDDED, null, null, null, 1, null, 0, 0, 1, 1, null, owner);
  }

  private static Checked<TenantSpec> read(String body) throws Exception {
    return TenantSpecReader.read(json(body), ACME, CATALOG);
  }

  private static TenantSpec good(String body) throws Exception {
    return value(read(body));
  }

  private static JsonNode json(String text) throws Exception {
    return MAPPER.readTree(text);
  }

  static <T> T value(Checked<T> checked) {
    if (checked instanceof Checked.Good<T>(T value)) {
      return value;
    }
    throw new AssertionError(checked);
  }

  static List<FieldError> bad(Checked<?> checked) {
    return assertInstanceOf(Checked.Bad.class, checked) instanceof Checked.Bad<?>(var errors)
        ? errors
        : List.of();
  }
}
