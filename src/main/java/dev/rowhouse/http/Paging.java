package dev.rowhouse.http;

import dev.rowhouse.retrieval.PageRequest;
import dev.rowhouse.serving.Refusal;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code ?limit=&after=&order=} as OpenAI's lists take them. */
sealed interface Paging {
  record Good(PageRequest page) implements Paging {}

  record Bad(Refusal refusal) implements Paging {}

  static Paging of(Call call, int limitMax) {
    int limit = PageRequest.LIMIT_DEFAULT;
    String text = call.query("limit");
    if (text != null) {
      if (!text.matches("[0-9]{1,6}")) {
        return new Bad(Replies.badRequest("limit", "limit must be a whole number."));
      }
      // SDKs ask for up to 10,000 files; a page has fewer, and says that there are more.
      limit = Math.min(Integer.parseInt(text), limitMax);
      if (limit < 1) {
        return new Bad(Replies.badRequest("limit", "limit must be at least 1."));
      }
    }
    String order = call.query("order");
    if (order != null && !order.equals("asc") && !order.equals("desc")) {
      return new Bad(Replies.badRequest("order", "order must be asc or desc."));
    }
    return new Good(new PageRequest(call.query("after"), limit, "asc".equals(order)));
  }

  default CompletionStage<HttpResponse> then(
      Function<PageRequest, CompletionStage<HttpResponse>> next) {
    return switch (this) {
      case Good good -> next.apply(good.page());
      case Bad bad -> CompletableFuture.completedFuture(Replies.openAiError(bad.refusal()));
    };
  }
}
