package dev.rowhouse.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import java.util.Set;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.junit.jupiter.api.Test;

class RouterTest {
  private final Router<String> router =
      new Router<String>()
          .on("GET", "/v1/files", "Lists.", "list")
          .on("POST", "/v1/files", "Uploads.", "upload")
          .on("GET", "/v1/files/{file}", "One.", "get")
          .on("GET", "/v1/files/{file}/content", "Bytes.", "content");

  @Test
  void findsByMethodAndPath() {
    assertEquals("list", found(HttpMethods.GET, "v1", "files"));
    assertEquals("upload", found(HttpMethods.POST, "v1", "files"));
  }

  @Test
  void letsAPartInBracesMatchAnyOnePart() {
    assertEquals("get", found(HttpMethods.GET, "v1", "files", "file-1"));
    assertEquals("get", found(HttpMethods.GET, "v1", "files", "a/b"));
    assertEquals("content", found(HttpMethods.GET, "v1", "files", "x", "content"));
  }

  @Test
  void saysWhichMethodsAPathHas() {
    assertEquals(
        Set.of("GET", "POST"),
        assertInstanceOf(Router.Match.WrongMethod.class, match(HttpMethods.DELETE, "v1", "files"))
            .allowed());
  }

  @Test
  void findsNothingElsewhere() {
    assertNothing("v1");
    assertNothing("v1", "files", "x", "contents");
    assertNothing("v1", "files", "x", "content", "more");
    assertNothing("V1", "files");
    assertNothing();
  }

  private void assertNothing(String... segments) {
    assertInstanceOf(Router.Match.Nothing.class, match(HttpMethods.GET, segments));
  }

  private String found(HttpMethod method, String... segments) {
    return switch (match(method, segments)) {
      case Router.Match.Found<String> found -> found.route().handler();
      case Router.Match.WrongMethod<String> wrong -> throw new AssertionError(wrong.toString());
      case Router.Match.Nothing<String> _ -> throw new AssertionError("nothing");
    };
  }

  private Router.Match<String> match(HttpMethod method, String... segments) {
    return router.match(method, List.of(segments));
  }
}
