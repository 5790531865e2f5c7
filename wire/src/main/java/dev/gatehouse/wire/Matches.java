package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.policy.attach.OrderedMatches;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import dev.gatehouse.policy.resource.StringMatch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A route's matches in Envoy's words ({@code config.route.v3.RouteMatch}). */
final class Matches {
  private Matches() {}

  static Map<String, Object> of(Match match) {
    var headers = new ArrayList<Map<String, Object>>();
    if (match.method() != null) {
      headers.add(header(":method", exact(match.method())));
    }
    match.headers().forEach(h -> headers.add(header(h.name(), string(h.match()))));
    return of(match, headers);
  }

  /**
   * What a browser's preflight for a request of this match looks like (Fetch, "CORS-preflight fetch"): it has the path and the query, tells
   * the method, and none of the headers.
   */
  static Map<String, Object> preflight(Match match) {
    var headers = new ArrayList<Map<String, Object>>();
    headers.add(header(":method", exact("OPTIONS")));
    headers.add(map("name", "origin", "present_match", true));
    headers.add(
        match.method() == null
            ? map("name", "access-control-request-method", "present_match", true)
            : header("access-control-request-method", exact(match.method())));
    return of(match, headers);
  }

  /** {@code type.matcher.v3.StringMatcher}. */
  static Map<String, Object> string(StringMatch match) {
    return switch (match.type()) {
      case EXACT -> exact(match.value());
      case PATH_PREFIX -> map("prefix", match.value());
      case REGULAR_EXPRESSION -> regex(match.value());
      case DISTINCT -> regex(".*");
    };
  }

  static Map<String, Object> exact(String value) {
    return map("exact", value);
  }

  static Map<String, Object> regex(String regex) {
    return map("safe_regex", map("regex", regex));
  }

  private static Map<String, Object> of(Match match, List<Map<String, Object>> headers) {
    var all = new LinkedHashMap<>(path(match.path()));
    if (!headers.isEmpty()) {
      all.put("headers", headers);
    }
    if (!match.queryParams().isEmpty()) {
      all.put(
          "query_parameters", match.queryParams().stream().map(Matches::query).toList());
    }
    return all;
  }

  private static Map<String, Object> path(StringMatch path) {
    return switch (path.type()) {
      case EXACT -> map("path", path.value());
      case REGULAR_EXPRESSION -> regex(path.value());
      case PATH_PREFIX, DISTINCT ->
        OrderedMatches.prefix(path).isEmpty()
            ? map("prefix", "/")
            : map("path_separated_prefix", OrderedMatches.prefix(path));
    };
  }

  private static Map<String, Object> query(NamedMatch query) {
    return map("name", query.name(), "string_match", string(query.match()));
  }

  private static Map<String, Object> header(String name, Map<String, Object> match) {
    return map("name", name, "string_match", match);
  }
}
