package dev.rowhouse.http;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.jspecify.annotations.Nullable;

/**
 * A table of routes. A pattern is a path in which a part in braces matches any one part: {@code
 * /v1/files/{file}}. The OpenAPI document is made from this table, so that it cannot drift.
 */
final class Router<H> {
  /** One route. */
  record Route<H>(String method, String pattern, List<String> parts, String summary, H handler) {}

  /** What a method and path lead to. */
  sealed interface Match<H> {
    record Found<H>(Route<H> route) implements Match<H> {}

    record WrongMethod<H>(Set<String> allowed) implements Match<H> {}

    record Nothing<H>() implements Match<H> {}
  }

  private final List<Route<H>> routes = new ArrayList<>();

  Router<H> on(String method, String pattern, String summary, H handler) {
    routes.add(new Route<>(method, pattern, split(pattern), summary, handler));
    return this;
  }

  List<Route<H>> routes() {
    return List.copyOf(routes);
  }

  Match<H> match(HttpMethod method, List<String> segments) {
    @Nullable Set<String> allowed = null;
    for (Route<H> route : routes) {
      if (matches(route.parts, segments)) {
        if (route.method.equals(method.value())) {
          return new Match.Found<>(route);
        }
        if (allowed == null) {
          allowed = new LinkedHashSet<>();
        }
        allowed.add(route.method);
      }
    }
    return allowed == null ? new Match.Nothing<>() : new Match.WrongMethod<>(allowed);
  }

  private static boolean matches(List<String> parts, List<String> segments) {
    if (parts.size() != segments.size()) {
      return false;
    }
    for (int i = 0; i < parts.size(); i++) {
      String part = parts.get(i);
      if (part.charAt(0) != '{' && !part.equals(segments.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static List<String> split(String path) {
    List<String> parts = new ArrayList<>();
    for (String part : path.substring(1).split("/", -1)) {
      parts.add(part);
    }
    return parts;
  }
}
