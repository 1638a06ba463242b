package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.files.FileCreateParams;
import com.openai.models.files.FileObject;
import com.openai.models.files.FilePurpose;
import com.openai.models.models.Model;
import com.openai.models.vectorstores.VectorStoreSearchParams;
import com.openai.models.vectorstores.VectorStoreSearchResponse;
import com.openai.models.vectorstores.files.FileRetrieveParams;
import com.openai.models.vectorstores.files.VectorStoreFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The unmodified openai-java against a node: only the base URL and the key are ours. */
class OpenAiJavaIT {
  private static final String MODEL = "rowhouse-extractive";

  private static NodeProcess node;
  private static OpenAIClient acme;
  private static String file;

  @BeforeAll
  static void start(@TempDir Path directory) throws IOException {
    node = NodeProcess.started(directory);
    acme = client(node.operator().onboard("acme"));
    Path markdown =
        Files.writeString(
            directory.resolve("returns.md"),
            "# Returns\n\nA customer may return goods within thirty days of delivery.\n");
    file = uploadAndPoll(markdown);
  }

  @AfterAll
  static void stop() {
    acme.close();
    node.close();
  }

  private static OpenAIClient client(String key) {
    return OpenAIOkHttpClient.builder()
        .baseUrl(node.httpUri() + "/v1")
        .apiKey(key)
        .timeout(ApiClient.DEADLINE)
        .build();
  }

  private static String uploadAndPoll(Path markdown) {
    FileObject uploaded =
        acme.files()
            .create(
                FileCreateParams.builder().file(markdown).purpose(FilePurpose.ASSISTANTS).build());
    VectorStoreFile attached =
        acme.vectorStores()
            .files()
            .create(
                "default",
                com.openai.models.vectorstores.files.FileCreateParams.builder()
                    .fileId(uploaded.id())
                    .build());
    assertEquals(uploaded.id(), attached.id(), "a store's file has the file's id");
    FileRetrieveParams params =
        FileRetrieveParams.builder().vectorStoreId("default").fileId(uploaded.id()).build();
    Await.until(
        "the file is completed",
        Duration.ofMinutes(2),
        () ->
            acme.vectorStores()
                .files()
                .retrieve(params)
                .status()
                .equals(VectorStoreFile.Status.COMPLETED));
    return uploaded.id();
  }

  private static ChatCompletionCreateParams.Builder question(String model) {
    return ChatCompletionCreateParams.builder()
        .model(model)
        .addUserMessage("Within how many days may a customer return goods?");
  }

  @Test
  void listsAndRetrievesModels() {
    List<String> models = acme.models().list().data().stream().map(Model::id).toList();
    assertTrue(models.contains(MODEL), models.toString());
    assertTrue(models.contains("bge-small-en-v1.5"), models.toString());
    assertEquals(MODEL, acme.models().retrieve(MODEL).id());
  }

  @Test
  void chats() {
    ChatCompletion answer = acme.chat().completions().create(question(MODEL).build());
    assertTrue(answer.choices().get(0).message().content().orElse("").contains("thirty"));
    assertTrue(answer.usage().orElseThrow().totalTokens() > 0);
  }

  @Test
  void streamsWithUsage() {
    List<ChatCompletionChunk> chunks = new ArrayList<>();
    ChatCompletionCreateParams params =
        question(MODEL)
            .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build())
            .build();
    try (StreamResponse<ChatCompletionChunk> stream =
        acme.chat().completions().createStreaming(params)) {
      stream.stream().forEach(chunks::add);
    }
    StringBuilder text = new StringBuilder();
    for (ChatCompletionChunk chunk : chunks) {
      chunk.choices().forEach(choice -> text.append(choice.delta().content().orElse("")));
    }
    assertTrue(text.toString().contains("thirty"), text.toString());
    assertEquals(1, chunks.stream().filter(chunk -> chunk.usage().isPresent()).count());
    assertTrue(chunks.get(chunks.size() - 1).usage().orElseThrow().completionTokens() > 0);
  }

  @Test
  void listsFilesAndReadsOneBack() throws IOException {
    assertTrue(acme.files().list().data().stream().anyMatch(found -> found.id().equals(file)));
    assertEquals("returns.md", acme.files().retrieve(file).filename());
    try (var content = acme.files().content(file)) {
      assertTrue(
          new String(content.body().readAllBytes(), StandardCharsets.UTF_8).contains("thirty"));
    }
  }

  @Test
  void searchesAStore() {
    List<VectorStoreSearchResponse> found =
        acme.vectorStores()
            .search("default", VectorStoreSearchParams.builder().query("return goods").build())
            .data();
    assertEquals(file, found.get(0).fileId());
    assertTrue(found.get(0).content().get(0).text().contains("thirty"), found.toString());
  }

  @Test
  void embeds() {
    EmbeddingCreateParams params =
        EmbeddingCreateParams.builder().model("bge-small-en-v1.5").input("Hello").build();
    assertEquals(384, acme.embeddings().create(params).data().get(0).embedding().size());
  }

  @Test
  void aBadKeyIsItsTypedError() {
    OpenAIClient stranger = client("rh_acme_0000_" + "0".repeat(40));
    UnauthorizedException refused =
        assertThrows(UnauthorizedException.class, () -> stranger.models().list());
    assertEquals("invalid_api_key", refused.code().orElse(""));
    stranger.close();
  }

  @Test
  void anUnknownModelIsItsTypedError() {
    NotFoundException refused =
        assertThrows(
            NotFoundException.class,
            () -> acme.chat().completions().create(question("no-such-model").build()));
    assertEquals("model_not_found", refused.code().orElse(""));
  }

  @Test
  void aWrongParameterIsItsTypedError() {
    BadRequestException refused =
        assertThrows(
            BadRequestException.class,
            () -> acme.chat().completions().create(question(MODEL).temperature(-1.0).build()));
    assertEquals("temperature", refused.param().orElse(""));
  }

  @Test
  void aLimitIsItsTypedErrorAndComesSoon() {
    String body = "{\"limits\": {\"requests_per_minute\": 1}}";
    OpenAIClient limited = client(node.operator().onboard("limited", body));
    limited.chat().completions().create(question(MODEL).build());
    RateLimitException refused =
        assertThrows(
            RateLimitException.class,
            () ->
                limited
                    .withOptions(options -> options.maxRetries(0))
                    .chat()
                    .completions()
                    .create(question(MODEL).build()));
    assertEquals("rate_limit_exceeded", refused.code().orElse(""));
    assertFalse(refused.headers().values("retry-after").isEmpty(), "Retry-After");
    limited.close();
  }
}
