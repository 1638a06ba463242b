package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.replay.ReplayHouse;
import dev.rowhouse.replay.ReplayProblem;
import dev.rowhouse.replay.ReplayReader;
import dev.rowhouse.replay.Replays;
import dev.rowhouse.serving.Refusal;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * {@code POST /admin/replay}: figures computed again from the journal, as a stream of lines. What
 * is found wrong before the first line is a status; what is found later is a line.
 */
final class ReplayAdmin {
  private static final String ERROR = "{\"error\":";

  /** A place is free when a replay has ended; most take seconds. */
  private static final long RETRY_MILLIS = 5_000;

  private final Replays replays;
  private final ReplayHouse house;

  ReplayAdmin(Replays replays, ReplayHouse house) {
    this.replays = replays;
    this.house = house;
  }

  CompletionStage<HttpResponse> replay(Call call) {
    return OperatorBodies.read(
        call,
        body ->
            OperatorBodies.checked(
                ReplayReader.read(body, replays.settings()),
                request ->
                    replays
                        .begin(request, house, true)
                        .thenCompose(answer -> begun(call, answer))
                        .exceptionally(ReplayAdmin::problem)));
  }

  private static CompletionStage<HttpResponse> begun(Call call, Replays.Answer answer) {
    return answer
        .lines()
        .prefixAndTail(1)
        .runWith(Sink.head(), call.materializer())
        .thenApply(begun -> response(call, answer.mediaType(), begun));
  }

  private static HttpResponse response(
      Call call, String mediaType, Pair<List<ByteString>, Source<ByteString, NotUsed>> begun) {
    List<ByteString> first = begun.first();
    if (!first.isEmpty() && first.getFirst().utf8String().startsWith(ERROR)) {
      begun.second().runWith(Sink.cancelled(), call.materializer());
      return Replies.problem(refusal(first.getFirst()));
    }
    ContentType type = ContentTypes.parse(mediaType);
    return HttpResponse.create()
        .withEntity(HttpEntities.createChunked(type, Source.from(first).concat(begun.second())));
  }

  private static Refusal refusal(ByteString line) {
    if (Json.parseObject(line) instanceof Json.Parsed.Document(JsonNode root)) {
      JsonNode error = root.path("error");
      return new Refusal(
          error.path("status").asInt(500),
          error.path("code").asText(),
          error.path("detail").asText(),
          error.path("field").textValue(),
          RETRY_MILLIS,
          true);
    }
    throw new IllegalStateException("an error line of ours is always readable");
  }

  private static HttpResponse problem(Throwable failure) {
    ReplayProblem problem = Replays.problem(failure);
    return Replies.problem(
        new Refusal(
            problem.status(), problem.code(), problem.text(), problem.field(), RETRY_MILLIS, true));
  }
}
