package dev.rowhouse.inference;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.inference.PassageSource.Passage;
import dev.rowhouse.inference.PassageSource.Sentence;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Answers without a language model: the sentences of the passages that fit the question best, word
 * for word, each with the number of its passage. It invents nothing, and says so plainly when no
 * sentence fits.
 */
final class ExtractiveEngine implements Engine {
  static final String NOTHING_FITS = "I found nothing in the documents that answers this.";
  static final String NO_DOCUMENTS =
      "I found no documents to answer this from. Upload some to the store that is searched.";
  static final String RETRIEVAL_OFF =
      "Retrieval is off for this request, and I answer from documents only.";

  /** A "sentence" longer than this is a table or a line without an end; its beginning will do. */
  private static final int SENTENCE_CHARS_MAX = 1_000;

  private final PassageSource source;
  private final InferenceSettings.Extractive settings;
  private final long patienceMillis;

  ExtractiveEngine(
      PassageSource source, InferenceSettings.Extractive settings, long patienceMillis) {
    this.source = source;
    this.settings = settings;
    this.patienceMillis = patienceMillis;
  }

  /** The whole answer, before it is cut into the pieces of a stream. */
  record Answer(
      ExtractiveRequest request,
      String text,
      String finishReason,
      List<Passage> citations,
      long inputTokens,
      long outputTokens) {}

  @Override
  public EngineCall call(EngineRequest request) {
    return new ExtractiveCall(this, request);
  }

  long patienceMillis() {
    return patienceMillis;
  }

  CompletionStage<Answer> answer(EngineRequest request) throws ExtractiveRequest.Refused {
    ExtractiveRequest asked = ExtractiveRequest.of(request.body());
    JsonNode fixed = asked.fixed();
    if (fixed != null) {
      return CompletableFuture.completedFuture(fixed(asked, fixed));
    }
    if (!request.searched()) {
      return CompletableFuture.completedFuture(words(asked, RETRIEVAL_OFF, List.of(), List.of()));
    }
    if (request.passages().isEmpty() || asked.question().isEmpty()) {
      return CompletableFuture.completedFuture(words(asked, NO_DOCUMENTS, List.of(), List.of()));
    }
    return source
        .bestSentences(asked.question(), request.passages(), settings.sentencesMax())
        .thenApply(sentences -> compose(asked, request.passages(), sentences));
  }

  private Answer compose(
      ExtractiveRequest asked, List<Passage> passages, List<Sentence> sentences) {
    StringBuilder text = new StringBuilder();
    List<Passage> cited = new ArrayList<>();
    Set<String> said = new LinkedHashSet<>();
    double best = sentences.stream().mapToDouble(Sentence::score).max().orElse(0);
    double scoreMin = Math.max(settings.scoreMin(), best * settings.scoreShareOfBestMin());
    for (Sentence sentence : sentences) {
      String words = sentence.text().strip().replaceAll("\\s+", " ");
      if (sentence.score() < scoreMin
          || words.isEmpty()
          || said.size() >= settings.sentencesMax()
          || !passages.contains(sentence.passage())
          || !said.add(words)) {
        continue;
      }
      if (!cited.contains(sentence.passage())) {
        cited.add(sentence.passage());
      }
      text.append(text.isEmpty() ? "" : " ")
          .append(beginning(words))
          .append(" [")
          .append(cited.indexOf(sentence.passage()) + 1)
          .append("]");
    }
    return said.isEmpty()
        ? words(asked, NOTHING_FITS, passages, List.of())
        : words(asked, text.toString(), passages, cited);
  }

  private static String beginning(String words) {
    if (words.length() <= SENTENCE_CHARS_MAX) {
      return words;
    }
    int end = words.lastIndexOf(' ', SENTENCE_CHARS_MAX);
    int hard = words.offsetByCodePoints(0, words.codePointCount(0, SENTENCE_CHARS_MAX));
    return words.substring(0, end > 0 ? end : hard) + " ...";
  }

  private static Answer words(
      ExtractiveRequest asked, String text, List<Passage> read, List<Passage> cited) {
    long input = Tokens.count(asked.question());
    for (Passage passage : read) {
      input += Tokens.count(passage.text());
    }
    int end = text.length();
    for (String stop : asked.stops()) {
      int at = text.indexOf(stop);
      end = at >= 0 ? Math.min(end, at) : end;
    }
    String stopped = text.substring(0, end);
    String said = Tokens.cut(stopped, asked.tokensMax());
    String reason = said.length() < stopped.length() ? "length" : "stop";
    return new Answer(asked, said, reason, List.copyOf(cited), input, Tokens.count(said));
  }

  private static Answer fixed(ExtractiveRequest asked, JsonNode value) {
    String json = value.toString();
    return new Answer(
        asked,
        json,
        asked.function() == null ? "stop" : "tool_calls",
        List.of(),
        Tokens.count(asked.question()),
        Tokens.count(json));
  }
}
