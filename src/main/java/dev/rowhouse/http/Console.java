package dev.rowhouse.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.util.ByteString;

/**
 * The console's page. It is one static file that talks to the same API as everyone; the key that is
 * typed into it stays in the browser's tab.
 */
final class Console {
  private static final String POLICY =
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src"
          + " 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private Console() {}

  static CompletionStage<HttpResponse> page(String plane) {
    return CompletableFuture.completedFuture(
        HttpResponse.create()
            .addHeader(RawHeader.create("Content-Security-Policy", POLICY))
            .addHeader(RawHeader.create("X-Content-Type-Options", "nosniff"))
            .withEntity(HttpEntities.create(ContentTypes.TEXT_HTML_UTF8, read(plane))));
  }

  private static ByteString read(String plane) {
    String name = "/console/" + plane + ".html";
    try (InputStream in = Console.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the program lacks " + name);
      }
      return ByteString.fromArrayUnsafe(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
