package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.map;

import java.util.List;
import java.util.Map;

/** Routes that no policy names and that Envoy answers itself, without asking anybody. Their names begin with {@code gatehouse/}. */
final class LocalRoutes {
  private LocalRoutes() {}

  /**
   * 400 for a path that Envoy and an upstream may read in two ways: Envoy normalises {@code /..;x} away, but of {@code /%2e%2e;x} it makes
   * {@code /..;x}, and a servlet container then drops the parameter and goes up (CVE-2026-73551); of {@code /;x/admin} it makes
   * {@code /admin}. Nothing legitimate looks like it.
   */
  static Map<String, Object> ambiguousPath() {
    return route(
        "gatehouse/ambiguous-path",
        Matches.regex(".*/(\\.{1,2}(;|%3[bB]).*|(;|%3[bB])[^/]*/.*)"),
        400);
  }

  /** 400 for paths that {@link PathParameters} has refused. */
  static Map<String, Object> pathParameters(String regex) {
    return route("gatehouse/path-parameters", Matches.regex(regex), 400);
  }

  /**
   * 400 for what is no host: Envoy joins several Host lines by a comma (RFC 9112, section 3.2, asks for 400), and a virtual host with a
   * wildcard takes it, and whatever else an upstream may read as another host.
   */
  static Map<String, Object> ambiguousHost() {
    var notAHost = map(
        "name",
        ":authority",
        "string_match",
        Matches.regex("[0-9A-Za-z._:\\[\\]-]+"),
        "invert_match",
        true);
    return route("gatehouse/ambiguous-host", map("prefix", "/", "headers", List.of(notAHost)), 400);
  }

  /** For what no route matches; without it, ext_authz would be asked about a request that leads nowhere. */
  static Map<String, Object> notFound() {
    return route("gatehouse/not-found", map("prefix", "/"), 404);
  }

  /** For hosts of another TLS listener: the client may take its connection there (RFC 9110, section 15.5.20). */
  static Map<String, Object> misdirected() {
    return route("gatehouse/misdirected", map("prefix", "/"), 421);
  }

  private static Map<String, Object> route(String name, Map<String, Object> match, int status) {
    return map(
        "name",
        name,
        "match",
        match,
        "direct_response",
        map("status", status),
        "typed_per_filter_config",
        map(HttpFilters.EXT_AUTHZ, HttpFilters.disabled()));
  }
}
