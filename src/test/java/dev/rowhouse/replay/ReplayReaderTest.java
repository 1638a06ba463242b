package dev.rowhouse.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.FieldError;
import dev.rowhouse.tenant.Reservation;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ReplayReaderTest {
  static final ReplaySettings SETTINGS =
      ReplaySettings.of(ConfigFactory.parseResources("replay.conf").resolve());

  private static Checked<ReplayRequest> read(String json) {
    try {
      return ReplayReader.read(Json.MAPPER.readTree(json.replace('\'', '"')), SETTINGS);
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new AssertionError(json, e);
    }
  }

  private static <T extends ReplayRequest> T good(Class<T> type, String json) {
    Checked<ReplayRequest> checked = read(json);
    if (checked instanceof Checked.Good<ReplayRequest>(ReplayRequest request)) {
      return assertInstanceOf(type, request);
    }
    throw new AssertionError(checked.toString());
  }

  @Test
  void readsAllThatThereIs() {
    ReplayRequest.TotalsAgain totals =
        good(
            ReplayRequest.TotalsAgain.class,
            "{'what': 'totals', 'tenants': ['acme', 'bolt'], 'from': '2026-01-01T00:00:00Z',"
                + " 'to': '2026-02-01T00:00:00Z'}");
    assertEquals(List.of(new TenantId("acme"), new TenantId("bolt")), totals.scope().tenants());
    assertEquals(Instant.parse("2026-02-01T00:00:00Z"), totals.scope().range().to());
    ReplayRequest.PriceAgain price =
        good(
            ReplayRequest.PriceAgain.class,
            "{'what': 'price', 'missing': 'keep_recorded', 'prices': {'models': {'m':"
                + " {'input_per_million': 1, 'output_per_million': 2.5}}}}");
    assertEquals(Map.of("m", new PriceList.Price(1, 2.5)), price.prices().models());
    assertTrue(price.keepRecorded());
    ReplayRequest.WhatIf whatIf =
        good(
            ReplayRequest.WhatIf.class,
            "{'what': 'what_if', 'weights': {'acme': 2}, 'slots': {'m': 3}, 'estimator': 'exact',"
                + " 'reservations': {'acme': {'share': 0.2}}, 'seed': 9,"
                + " 'add': [{'tenant': 'copy', 'like': 'acme', 'times': 1.5, 'weight': 4}]}");
    TenantId acme = new TenantId("acme");
    assertEquals(
        new Changes(
            Map.of(acme, 2.0),
            Map.of(acme, new Reservation(0, 0.2)),
            Map.of("m", 3),
            Changes.Estimate.EXACT,
            List.of(new Changes.Added(new TenantId("copy"), acme, 1.5, 4.0)),
            9),
        whatIf.changes());
    assertEquals(
        ExportFormat.CSV,
        good(ReplayRequest.Export.class, "{'what': 'export', 'format': 'csv'}").format());
  }

  @ParameterizedTest(name = "{1}: {0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | what | must be totals, price, what_if or export",
        "{'what': 'everything'} | what | must be totals",
        "{'what': 7} | what | must be a string",
        "{'what': 'totals', 'form': 'x'} | form | is not a known field",
        "{'what': 'totals', 'prices': {}} | prices | is not a known field",
        "{'what': 'totals', 'tenants': []} | tenants | must name a tenant",
        "{'what': 'totals', 'tenants': ['A b']} | tenants | no tenant can be called",
        "{'what': 'totals', 'tenants': ['a', 'a']} | tenants[1] | is there twice",
        "{'what': 'totals', 'from': '2026-02-01T00:00:00Z', 'to': '2026-01-01T00:00:00Z'} | to |"
            + " must be after from",
        "{'what': 'totals', 'from': '2026-01-01T00:00:00'} | from | has no zone",
        "{'what': 'totals', 'from': '2026-01-01'} | from | has no zone",
        "{'what': 'totals', 'from': '2026-01-01T00:00:00+02:00'} | from | is in the zone +02:00;"
            + " write it in UTC: 2025-12-31T22:00:00Z",
        "{'what': 'totals', 'to': 'tomorrow'} | to | must be a time in UTC",
        "{'what': 'totals', 'from': '1990-01-01T00:00:00Z', 'to': '2026-01-01T00:00:00Z'} | from |"
            + " days apart",
        "{'what': 'price'} | prices | must be",
        "{'what': 'price', 'prices': {'models': {}}} | prices.models | must name a model",
        "{'what': 'price', 'prices': {'models': {'m': {'input_per_million': 1}}}} |"
            + " prices.models.m.output_per_million | must be a number",
        "{'what': 'price', 'prices': {'models': {'m': {'input_per_million': -1,"
            + " 'output_per_million': 1}}}} | prices.models.m.input_per_million | must be between",
        "{'what': 'price', 'missing': 'guess', 'prices': {'models': {'m': {'input_per_million': 1,"
            + " 'output_per_million': 1}}}} | missing | must be refuse or keep_recorded",
        "{'what': 'export', 'format': 'xml'} | format | must be cloudevents or csv",
        "{'what': 'what_if', 'tenants': ['a'], 'weights': {'b': 2}} | weights.b | is not among"
            + " tenants",
        "{'what': 'what_if', 'weights': {'b': 0}} | weights.b | must be greater than 0",
        "{'what': 'what_if', 'slots': {'m': 0}} | slots.m | must be between 1",
        "{'what': 'what_if', 'estimator': 'max_tokens'} | estimator | is not recorded",
        "{'what': 'what_if', 'reservations': {'b': {'share': 0.9}}} | reservations.b.share | must"
            + " be between",
        "{'what': 'what_if', 'add': [{'tenant': 'c'}]} | add[0] | must have a tenant and like",
        "{'what': 'what_if', 'add': [{'tenant': 'c', 'like': 'a', 'time': 2}]} | add[0].time | is"
            + " not a known field",
        "{'what': 'what_if', 'tenants': ['a', 'c'], 'add': [{'tenant': 'c', 'like': 'a'}]} |"
            + " add[0].tenant | is there already"
      })
  void saysWhichFieldIsWrong(String json, String field, String message) {
    if (read(json) instanceof Checked.Bad<ReplayRequest>(List<FieldError> errors)) {
      assertTrue(
          errors.stream()
              .anyMatch(error -> error.field().equals(field) && error.message().contains(message)),
          errors.toString());
    } else {
      throw new AssertionError("read without complaint: " + json);
    }
  }
}
