package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.json;
import static dev.gatehouse.wire.Wired.rule;
import static dev.gatehouse.wire.Wired.shop;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class FiltersTest {
  @Test
  void header_modifiers_set_add_and_remove_what_they_say_and_nothing_of_it_is_a_command() {
    var route = shop(rule("""
        filters:
        - type: RequestHeaderModifier
          requestHeaderModifier: {set: [{name: x-set, value: "100%"}], add: [{name: x-add, value: b}], remove: [x-gone]}
        - type: ResponseHeaderModifier
          responseHeaderModifier: {set: [{name: x-frame-options, value: DENY}], remove: [server]}
        """ + TO_UP)).onlyRoute();
    assertThat(route.get("request_headers_to_add")).isEqualTo(json("""
        - {header: {key: x-set, value: "100%%"}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}
        - {header: {key: x-add, value: b}, append_action: APPEND_IF_EXISTS_OR_ADD}
        """));
    assertThat(route.get("request_headers_to_remove")).isEqualTo(json("[x-gone]"));
    assertThat(route.get("response_headers_to_add"))
        .isEqualTo(
            json(
                "[{header: {key: x-frame-options, value: DENY}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}]"));
    assertThat(route.get("response_headers_to_remove")).isEqualTo(json("[server]"));
  }

  @Test
  void the_host_is_not_for_a_header_modifier() {
    var wired = shop(rule("""
        filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Host, value: inner.example}]}}]
        """ + TO_UP));
    assertThat(wired.errors())
        .singleElement()
        .asString()
        .contains("spec.rules[0].filters", "URLRewrite");
    assertThat(wired.onlyRoute().at("/direct_response/status").asInt()).isEqualTo(500);
  }

  @ParameterizedTest
  @CsvSource({
    // The Gateway API's table (HTTPPathModifier.replacePrefixMatch): prefix of the match,
    // replacement, path, what it becomes.
    "/foo, /xyz, /foo/bar, /xyz/bar",
    "/foo, /xyz/, /foo/bar, /xyz/bar",
    "/foo/, /xyz, /foo/bar, /xyz/bar",
    "/foo/, /xyz/, /foo/bar, /xyz/bar",
    "/foo, /xyz, /foo, /xyz",
    "/foo, /xyz, /foo/, /xyz/",
    "/foo, '', /foo/bar, /bar",
    "/foo, '', /foo/, /",
    "/foo, '', /foo, /",
    "/foo, /, /foo/, /",
    "/foo, /, /foo, /",
    "/foo, /, /foo/bar, /bar",
    "/, /xyz, /bar, /xyz/bar",
    "/, /, /bar, /bar",
    "/a.b, /, /a.b/c, /c",
  })
  void a_replaced_prefix_keeps_the_gateway_apis_table(
      String prefix, String replacement, String path, String expected) {
    var route = shop(Wired.route("""
        rules:
        - matches: [{path: {type: PathPrefix, value: %s}}]
          filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: "%s"}}}]
          %s
        """.formatted(prefix, replacement, TO_UP))).onlyRoute();
    assertThat(asEnvoyRewrites(route, path)).isEqualTo(expected);
  }

  @Test
  void a_full_path_is_replaced_as_it_is_written() {
    var route = shop(rule("""
        filters: [{type: URLRewrite, urlRewrite: {hostname: inner.example, path: {type: ReplaceFullPath, replaceFullPath: '/one/\\1'}}}]
        """ + TO_UP)).onlyRoute();
    assertThat(route.at("/route/host_rewrite_literal").asString()).isEqualTo("inner.example");
    assertThat(route.at("/route/regex_rewrite"))
        .isEqualTo(json("{pattern: {regex: '^/.*$'}, substitution: '/one/\\\\1'}"));
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        // hostname of the route, redirect: scheme, hostname, port; expected: host_redirect,
        // port_redirect
        "-, -, new.example, -, new.example, 8080",
        "-, https, new.example, -, new.example, -",
        "-, https, -, -, -, 443",
        "-, https, -, 8443, -, 8443",
        "-, http, -, -, -, 80",
        "-, -, -, 80, -, 80",
        "shop.example, https, -, -, shop.example, -",
        "shop.example, -, -, -, shop.example, 8080",
        "*.shop.example, https, -, -, -, 443",
      })
  void the_location_names_the_port_that_the_gateway_api_says(
      @Nullable String hostname,
      @Nullable String scheme,
      @Nullable String newHost,
      @Nullable String port,
      @Nullable String host,
      @Nullable String portSaid) {
    var fields = new ArrayList<String>();
    if (scheme != null) {
      fields.add("scheme: " + scheme);
    }
    if (newHost != null) {
      fields.add("hostname: " + newHost);
    }
    if (port != null) {
      fields.add("port: " + port);
    }
    var wired = shop(Wired.route("""
        %srules:
        - filters: [{type: RequestRedirect, requestRedirect: {%s, statusCode: 301}}]
        """.formatted(
            hostname == null ? "" : "hostnames: [\"" + hostname + "\"]\n",
            fields.isEmpty()
                ? "path: {type: ReplaceFullPath, replaceFullPath: /x}"
                : String.join(", ", fields))));
    var redirect = wired.routes(hostname == null ? "*" : hostname).getFirst().get("redirect");
    assertThat(redirect.path("response_code").asString()).isEqualTo("MOVED_PERMANENTLY");
    assertThat(redirect.path("host_redirect").asString(null)).isEqualTo(host);
    assertThat(redirect.path("port_redirect").asString(null)).isEqualTo(portSaid);
  }

  @Test
  void a_redirect_can_change_the_path() {
    var prefix = shop(rule(
            "filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]"))
        .onlyRoute();
    assertThat(prefix.at("/redirect/prefix_rewrite").asString()).isEqualTo("/b");
    assertThat(prefix.at("/redirect/response_code").asString()).isEqualTo("FOUND");
    var full = shop(rule(
            "filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /b}}}]"))
        .onlyRoute();
    assertThat(full.at("/redirect/path_redirect").asString()).isEqualTo("/b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"xyz", "/a?b", "/a#b", "/a b"})
  void a_path_that_is_none_is_refused(String path) {
    var wired = shop(rule(
        "filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: '"
            + path
            + "'}}}]\n"
            + TO_UP));
    assertThat(wired.errors()).singleElement().asString().contains(path, "is no path");
    assertThat(wired.onlyRoute().at("/direct_response/status").asInt()).isEqualTo(500);
  }

  @Test
  void a_rule_that_the_reader_could_not_honour_answers_500() {
    var wired = shop(Wired.route("""
        rules:
        - matches: [{path: {type: Exact, value: /a}}]
          filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]
          %s
        """.formatted(TO_UP)));
    assertThat(wired.errors()).isNotEmpty();
    assertThat(wired.onlyRoute().at("/direct_response/status").asInt()).isEqualTo(500);
  }

  @Test
  void a_path_cannot_be_rewritten_by_the_route_and_by_a_transform_policy() {
    var wired = shop(
        rule(
            "filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]\n"
                + TO_UP),
        RoutesTest.transform("request: [{path: {regex: ^/a, replacement: /c}}]"));
    assertThat(wired.errors())
        .singleElement()
        .asString()
        .contains("TransformPolicy", "in one place");
    assertThat(wired.onlyRoute().at("/direct_response/status").asInt()).isEqualTo(500);
  }

  /** What Envoy documents for {@code prefix_rewrite} and {@code regex_rewrite}. */
  private static String asEnvoyRewrites(JsonNode route, String path) {
    var action = route.get("route");
    if (action.has("prefix_rewrite")) {
      var matched = route.at("/match").has("prefix")
          ? "/"
          : route.at("/match/path_separated_prefix").asString();
      return action.get("prefix_rewrite").asString() + path.substring(matched.length());
    }
    if (action.has("regex_rewrite")) {
      return path.replaceAll(
          action.at("/regex_rewrite/pattern/regex").asString(),
          action.at("/regex_rewrite/substitution").asString());
    }
    return path;
  }
}
