package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.PromptTemplate;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantProfile;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which model a chat and an embedding go to. */
class RouteTest {
  private static final TenantId ACME = new TenantId("acme");
  private static final TenantId GLOBEX = new TenantId("globex");
  private static final ModelSpec CHATS = model("chats", ModelSpec.EMBEDDED, null);
  private static final ModelSpec SPARE = model("spare", ModelSpec.EMBEDDED, null);
  private static final ModelSpec EMBEDS = model("embeds", ModelSpec.EMBEDDING, null);
  private static final ModelSpec FOREIGN = model("foreign", ModelSpec.EMBEDDING, GLOBEX);
  private static final Catalog CATALOG =
      new Catalog(
          1,
          Map.of("chats", CHATS, "spare", SPARE, "embeds", EMBEDS, "foreign", FOREIGN),
          Map.of());

  private static ModelSpec model(String name, String engine, @Nullable TenantId owner) {
    return new ModelSpec(name, engine, null, null, null, 1, null, 0, 0, 1, 1, null, owner);
  }

  private static TenantProfile profile(String... allowed) {
    return new TenantProfile(
        ACME,
        1,
        TenantProfile.Status.ACTIVE,
        null,
        "standard",
        null,
        Limits.UNSET,
        0,
        0,
        "chats",
        List.of(allowed),
        Map.of("vectors", "embeds"),
        Map.of("chats", List.of("embeds", "spare"), "embeds", List.of("spare")),
        Map.of(
            PromptTemplate.DEFAULT,
            new PromptTemplate(PromptTemplate.DEFAULT, 1, "Be brief.", null)),
        new TenantProfile.CacheSettings("off", 1, 1, 0),
        new TenantProfile.RetrievalSettings(List.of(), 1),
        false,
        null,
        Map.of(),
        List.of(),
        Instant.EPOCH);
  }

  private static Route.Choice choose(Ask.Purpose purpose, String model, TenantProfile profile) {
    Ask ask =
        new Ask(
            "0190-attempt",
            new Ask.Credential("k1", "00"),
            model,
            1,
            0L,
            false,
            false,
            null,
            0,
            1,
            0,
            Ask.RetrievalChoice.OF_THE_TENANT,
            null,
            null,
            Map.of(),
            1,
            purpose);
    return Route.choose(ask, profile, CATALOG);
  }

  private static Route found(Ask.Purpose purpose, String model, TenantProfile profile) {
    return assertInstanceOf(Route.Choice.Found.class, choose(purpose, model, profile)).route();
  }

  private static Refusal refused(Ask.Purpose purpose, String model, TenantProfile profile) {
    return assertInstanceOf(Route.Choice.None.class, choose(purpose, model, profile)).refusal();
  }

  @Test
  void anEmbedderNeedsNoEntryInTheList() {
    assertEquals(EMBEDS, found(Ask.Purpose.EMBEDDING, "embeds", profile("spare")).model());
    assertEquals(EMBEDS, found(Ask.Purpose.EMBEDDING, "vectors", profile("spare")).model());
    assertEquals(List.of("embeds", "spare", "vectors"), Models.namesFor(profile("spare"), CATALOG));
  }

  @Test
  void anEmbeddingHasNoTemplateAndNoFallback() {
    Route route = found(Ask.Purpose.EMBEDDING, "embeds", profile());
    assertNull(route.prompt());
    assertEquals(List.of(), route.fallbacks());
  }

  @Test
  void aChatFallsBackToNoEmbedder() {
    assertEquals(List.of(SPARE), found(Ask.Purpose.CHAT, "chats", profile()).fallbacks());
  }

  @Test
  void anEmbedderDoesNotChat() {
    Refusal refusal = refused(Ask.Purpose.CHAT, "vectors", profile());
    assertEquals(400, refusal.httpStatus());
    assertEquals("model", refusal.param());
    assertTrue(refusal.message().contains("'vectors' does not chat"), refusal.message());
  }

  @Test
  void aChatModelDoesNotEmbed() {
    Refusal refusal = refused(Ask.Purpose.EMBEDDING, "chats", profile());
    assertEquals(400, refusal.httpStatus());
    assertEquals("model", refusal.param());
    assertTrue(refusal.message().contains("'chats' does not embed"), refusal.message());
  }

  @Test
  void anotherTenantsEmbedderIsAModelThatNeverWas() {
    assertEquals(404, refused(Ask.Purpose.EMBEDDING, "foreign", profile()).httpStatus());
  }

  @Test
  void aChatModelThatIsNotAllowedIsForbiddenFirst() {
    assertEquals(403, refused(Ask.Purpose.EMBEDDING, "chats", profile("spare")).httpStatus());
  }
}
