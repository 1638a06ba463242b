package dev.rowhouse.http;

import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** What answers one call. */
@FunctionalInterface
interface Handler {
  CompletionStage<HttpResponse> handle(Call call);
}
