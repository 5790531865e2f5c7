package dev.gatehouse.policy.attach;

import static dev.gatehouse.policy.attach.Fixtures.exact;
import static dev.gatehouse.policy.attach.Fixtures.gateway;
import static dev.gatehouse.policy.attach.Fixtures.header;
import static dev.gatehouse.policy.attach.Fixtures.listener;
import static dev.gatehouse.policy.attach.Fixtures.meta;
import static dev.gatehouse.policy.attach.Fixtures.method;
import static dev.gatehouse.policy.attach.Fixtures.parent;
import static dev.gatehouse.policy.attach.Fixtures.prefix;
import static dev.gatehouse.policy.attach.Fixtures.query;
import static dev.gatehouse.policy.attach.Fixtures.regex;
import static dev.gatehouse.policy.attach.Fixtures.route;
import static dev.gatehouse.policy.attach.Fixtures.rule;
import static dev.gatehouse.policy.attach.Fixtures.sound;
import static dev.gatehouse.policy.resource.StringMatch.Type.EXACT;
import static dev.gatehouse.policy.resource.StringMatch.Type.REGULAR_EXPRESSION;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Gateway.AllowedRoutes;
import dev.gatehouse.policy.resource.Gateway.From;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.HttpRoute.Rule;
import dev.gatehouse.policy.resource.Resource;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --match-routes}: which rule a request takes. */
class MatchRoutesTest {
  @ParameterizedTest
  @CsvSource({
    "/a, prefix-a",
    "/a/, prefix-a",
    "/a/x, prefix-a",
    "/a?x=/b, prefix-a",
    "/ab, root",
    "/A, root",
    "/a/b, prefix-ab",
    "/a/b/c/d, prefix-ab",
    "/a/bc, prefix-a",
    "/a/b/exact, exact",
    "/a/b/exact?q, exact",
    "/a/b/exact/, prefix-ab",
    "/r/12, regex",
    "/r/12/, root",
    "/r/x, root",
    "/, root",
    "/?, root"
  })
  void a_path_takes_the_exact_then_the_regular_then_the_longest_prefix(String path, String rule) {
    var plans = plans(
        rule("root", prefix("/")),
        rule("prefix-a", prefix("/a")),
        rule("prefix-ab", prefix("/a/b/")),
        rule("exact", exact("/a/b/exact")),
        rule("regex", regex("/r/[0-9]+")));

    assertThat(found(plans, Asked.get(path))).isEqualTo(rule);
  }

  @Test
  void a_prefix_whose_conditions_do_not_hold_leaves_the_request_to_a_shorter_one() {
    var plans = plans(
        rule("root", prefix("/")),
        rule("post", method(prefix("/a"), "POST")),
        rule("deep", method(prefix("/a/b/c"), "PUT")));

    assertThat(found(plans, Asked.get("/a/b/c/d"))).isEqualTo("root");
    assertThat(found(plans, Asked.get("/a/b/c/d").as("POST"))).isEqualTo("post");
    assertThat(found(plans, Asked.get("/a/b/c/d").as("PUT"))).isEqualTo("deep");
    assertThat(found(plans, Asked.get("/a/b/c/d").as("put"))).isEqualTo("root");
  }

  @Test
  void on_one_path_the_method_then_more_headers_then_more_parameters_win() {
    var plans = plans(
        rule("plain", prefix("/")),
        rule("query", query(prefix("/"), "q", EXACT, "1")),
        rule("header", header(prefix("/"), "x-a", EXACT, "1")),
        rule("headers", header(header(prefix("/"), "x-a", EXACT, "1"), "x-b", EXACT, "2")),
        rule("method", method(prefix("/"), "POST")));
    var all = new Asked("POST", "h", "/?q=1", Map.of("x-a", List.of("1"), "x-b", List.of("2")));

    assertThat(found(plans, all)).isEqualTo("method");
    assertThat(found(plans, all.as("GET"))).isEqualTo("headers");
    assertThat(found(plans, Asked.get("/?q=1").with("x-a", "1"))).isEqualTo("header");
    assertThat(found(plans, Asked.get("/?q=1"))).isEqualTo("query");
    assertThat(found(plans, Asked.get("/?q=2"))).isEqualTo("plain");
  }

  @Test
  void of_equal_matches_the_older_route_wins_then_the_first_by_name_then_the_first_rule() {
    var old = Instant.parse("2026-01-01T00:00:00Z");
    var plans = plans(
        routeOf("shop/b", null, rule("b", prefix("/x"))),
        routeOf("shop/a", null, rule("a1", prefix("/x")), rule("a2", exact("/y"), prefix("/x"))),
        routeOf("shop/z", old, rule("z", method(prefix("/x"), "GET"))),
        routeOf("shop/c", old.plusSeconds(1), rule("c", method(prefix("/x"), "GET"))));

    assertThat(found(plans, Asked.get("/x"))).isEqualTo("z");
    assertThat(found(plans, Asked.get("/x").as("PUT"))).isEqualTo("a1");
    assertThat(found(plans, Asked.get("/y"))).isEqualTo("a2");
  }

  @ParameterizedTest
  @CsvSource({
    "shop.example.com, exact",
    "SHOP.Example.COM, exact",
    "shop.example.com:8080, exact",
    "a.shop.example.com, long",
    "a.b.shop.example.com:1, long",
    "other.example.com, short",
    "example.com, any",
    "'', any",
    ".example.com, any",
    "[::1]:80, any"
  })
  void a_host_takes_the_exact_then_the_longest_wildcard_then_any(String host, String rule) {
    var plans = plans(
        on("shop/any", List.of(), rule("any", prefix("/"))),
        on("shop/short", List.of("*.example.com"), rule("short", prefix("/"))),
        on("shop/long", List.of("*.shop.example.com"), rule("long", prefix("/"))),
        on("shop/exact", List.of("shop.example.com"), rule("exact", prefix("/"))));

    assertThat(found(plans, Asked.get("/").at(host))).isEqualTo(rule);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a.example.com.",
        "a.example.com.:80",
        "x,a.example.com",
        "u@a.example.com",
        "a.example.com/",
        "a\u212a.com",
        "%61.example.com"
      })
  void a_host_that_may_be_read_in_two_ways_is_unresolved(String host) {
    assertThat(why(plans(rule("root", prefix("/"))), Asked.get("/").at(host)))
        .isEqualTo("the host is not written as hosts are, so it may be read in more ways than one");
  }

  @Test
  void a_host_that_has_routes_of_its_own_takes_no_other_hosts_even_if_none_matches() {
    var plans = plans(
        on("shop/any", List.of(), rule("any", prefix("/"))),
        on("shop/exact", List.of("shop.example.com"), rule("exact", prefix("/shop"))));

    assertThat(found(plans, Asked.get("/shop"))).isEqualTo("exact");
    assertThat(why(plans, Asked.get("/other"))).isEqualTo("no route matches");
  }

  @Test
  void a_hosts_requests_belong_to_the_listener_with_the_most_specific_hostname() {
    var plans = RoutePlans.of(
        sound(
            gateway(
                "shop/web",
                listener("any"),
                listener("own", "shop.example.com"),
                listener("empty", "empty.example.com")),
            route(
                "shop/all",
                List.of(parent("shop/web", "any", null)),
                List.of(),
                rule("all", prefix("/"))),
            route(
                "shop/own",
                List.of(parent("shop/web", "own", null)),
                List.of(),
                rule("own", prefix("/own")))),
        rule -> rule.route().rule(),
        null);

    assertThat(found(plans, Asked.get("/own"))).isEqualTo("own");
    assertThat(why(plans, Asked.get("/all"))).isEqualTo("no route matches");
    assertThat(found(plans, Asked.get("/all").at("x.org"))).isEqualTo("all");
    assertThat(why(plans, Asked.get("/all").at("empty.example.com"))).isEqualTo("no route matches");
  }

  @Test
  void listeners_whose_plans_are_equal_are_one_and_where_they_differ_nobody_guesses() {
    var set = sound(
        gateway(
            "shop/web",
            listener("http", 80, null, new AllowedRoutes(From.SAME, Map.of())),
            listener("https", 443, null, new AllowedRoutes(From.SAME, Map.of()))),
        route("shop/orders", rule("all", prefix("/"))),
        route(
            "shop/plain",
            List.of(parent("shop/web", "http", null)),
            List.of(),
            rule("plain", exact("/plain"))));

    var alike = RoutePlans.of(set, rule -> rule.route().rule(), null);
    assertThat(found(alike, Asked.get("/x"))).isEqualTo("all");
    assertThat(why(alike, Asked.get("/plain")))
        .isEqualTo("the routes of several listeners match, and their plans differ");

    var apart = RoutePlans.of(set, rule -> rule.listener().listener(), null);
    assertThat(why(apart, Asked.get("/x")))
        .isEqualTo("the routes of several listeners match, and their plans differ");
  }

  @ParameterizedTest
  @CsvSource({
    "/?q=1, one",
    "/?q=1&q=2, one",
    "/?q=2&q=1, any",
    "/?a&q=1, one",
    "/?q, any",
    "/?q=, any",
    "/?q=1=1, any",
    "/?Q=1, root",
    "/?%71=1, root",
    "/?xq=1, root",
    "/?x=q=1, root",
    "/?q=x%20y, encoded",
    "/?q=x+y, any",
    "/?&&q=1, one",
    "/?a=1;q=1, root",
    "/x?q=1, one"
  })
  void a_query_parameter_is_compared_as_it_was_sent_and_only_its_first_value(
      String path, String rule) {
    var plans = plans(
        rule("root", prefix("/")),
        rule("any", query(prefix("/"), "q", REGULAR_EXPRESSION, ".*")),
        rule(
            "one",
            query(query(prefix("/"), "q", EXACT, "1"), "q", EXACT, "ignored"),
            header(query(prefix("/"), "q", EXACT, "1"), "host", EXACT, "shop.example.com")),
        rule(
            "encoded",
            header(query(prefix("/"), "q", EXACT, "x%20y"), "host", EXACT, "shop.example.com")));

    assertThat(found(plans, Asked.get(path))).isEqualTo(rule);
  }

  @Test
  void a_header_is_compared_value_by_value() {
    var plans = plans(rule("root", prefix("/")), rule("one", header(prefix("/"), "x", EXACT, "1")));

    assertThat(found(plans, Asked.get("/"))).isEqualTo("root");
    assertThat(found(plans, Asked.get("/").with("x", "1"))).isEqualTo("one");
    assertThat(found(plans, Asked.get("/").with("x", "1").joined())).isEqualTo("one");
    assertThat(found(plans, Asked.get("/").with("x", "1,2"))).isEqualTo("root");
    assertThat(found(plans, Asked.get("/").with("x", "2", "3"))).isEqualTo("root");
    assertThat(found(plans, Asked.get("/").with("x", "2", "3").joined())).isEqualTo("root");
  }

  @Test
  void where_envoys_differ_over_a_repeated_header_nobody_guesses() {
    var plans = plans(rule("root", prefix("/")), rule("one", header(prefix("/"), "x", EXACT, "1")));
    var unsure = "a route's regular expression or header cannot be compared as Envoy does";

    assertThat(why(plans, Asked.get("/").with("x", "1", "2"))).isEqualTo(unsure);
    assertThat(why(plans, Asked.get("/").with("x", "1,2").joined())).isEqualTo(unsure);
    assertThat(why(plans, Asked.get("/").with("x", "2, 1").joined())).isEqualTo(unsure);
    assertThat(why(plans, Asked.get("/").with("x", ",".repeat(20)).joined())).isEqualTo(unsure);
  }

  @Test
  void a_regular_expression_meets_ascii_only_because_envoy_compares_bytes() {
    var plans = plans(
        rule("root", prefix("/")), rule("dot", header(prefix("/"), "x", REGULAR_EXPRESSION, "a.")));

    assertThat(found(plans, Asked.get("/").with("x", "ab"))).isEqualTo("dot");
    assertThat(found(plans, Asked.get("/").with("x", "abc"))).isEqualTo("root");
    assertThat(plans.byMatch(Asked.get("/").with("x", "aé"))).isInstanceOf(Lookup.Unresolved.class);
    assertThat(plans.byMatch(Asked.get("/").with("x", "a\uFFFD")))
        .isInstanceOf(Lookup.Unresolved.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "*",
        "x",
        "?",
        "//",
        "/a//b",
        "/a//",
        "/./",
        "/.",
        "/a/.",
        "/../a",
        "/a/..",
        "/a/../b",
        "/..;x/a",
        "/.;/a",
        "/a/..;",
        "/a\\b",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/%2e%2e/a",
        "/%61",
        "/%7E",
        "/a%00",
        "/a%0a",
        "/a%7f",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a#b",
        "/a?b#c",
        "/a b",
        "/a\tb",
        "/é",
        "/a\u0000b",
        "/%2e",
        "/a%2d",
        "http://x/a"
      })
  void a_path_that_may_be_read_in_two_ways_is_unresolved(String path) {
    var plans = plans(rule("root", prefix("/")), rule("any", regex(".*")));

    assertThat(why(plans, Asked.get(path)))
        .isEqualTo("the path is not normalised, so it may be read in more ways than one");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/a",
        "/a/",
        "/a.b",
        "/.well-known/x",
        "/..a",
        "/...",
        "/a..",
        "/a;b=c/d",
        "/a%20b",
        "/%C3%A9",
        "/a%3Bb",
        "/~a!$&'()*+,=:@",
        "/a?b=/../..//%2f",
        "/a?b=%zz é"
      })
  void a_clean_path_is_matched(String path) {
    assertThat(found(plans(rule("root", prefix("/"))), Asked.get(path))).isEqualTo("root");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/admin;x",
        "/admin;x=1/a",
        "/admin%3bx/a",
        "/a/b;x/c",
        "/a;x/b",
        "/..%3bx/admin",
        "/;x/admin"
      })
  void parameters_that_hide_a_route_from_envoy_leave_it_unresolved(String path) {
    var plans = plans(
        rule("root", prefix("/")), rule("admin", prefix("/admin")), rule("ab", prefix("/a/b")));

    assertThat(why(plans, Asked.get(path)))
        .isEqualTo("the path is not normalised, so it may be read in more ways than one");
    assertThat(found(plans, Asked.get("/admin/a;x=1"))).isEqualTo("admin");
    assertThat(found(plans, Asked.get("/b;x"))).isEqualTo("root");
    assertThat(found(plans(rule("matrix", prefix("/m;v"))), Asked.get("/m;v/a")))
        .isEqualTo("matrix");
  }

  @Test
  void a_regular_expression_that_only_the_gateway_understands_is_unresolved() {
    var plans = plans(
        rule("root", prefix("/")),
        rule("odd", header(prefix("/"), "x", REGULAR_EXPRESSION, "(?<")));

    assertThat(plans.byMatch(Asked.get("/").with("x", "1"))).isInstanceOf(Lookup.Unresolved.class);
    assertThat(found(plans, Asked.get("/"))).isEqualTo("root");
  }

  @Test
  void ten_thousand_routes_are_as_fast_as_ten() {
    var rules = IntStream.range(0, 10_000)
        .mapToObj(i ->
            rule("r" + i, i % 2 == 0 ? exact("/api/v1/" + i) : prefix("/api/v1/" + i + "/items")))
        .toArray(Rule[]::new);
    var plans = plans(rules);
    var request = Asked.get("/api/v1/9999/items/4711?x=y");
    long best = Long.MAX_VALUE;
    for (int round = 0; round < 20; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < 1000; i++) {
        plans.byMatch(request);
      }
      best = Math.min(best, System.nanoTime() - start);
    }

    assertThat(found(plans, request)).isEqualTo("r9999");
    // A walk over the routes takes 50 µs and more even in compiled code; a look-up less than one.
    assertThat(best / 1000).as("ns a look-up").isLessThan(20_000);
  }

  private static RoutePlans<String> plans(Rule... rules) {
    return plans(route("shop/orders", rules));
  }

  private static RoutePlans<String> plans(HttpRoute... routes) {
    var resources = Stream.concat(
            Stream.of(gateway("shop/web", listener("http"))), Stream.of(routes))
        .toArray(Resource[]::new);
    return RoutePlans.of(sound(resources), rule -> rule.route().rule(), null);
  }

  private static HttpRoute routeOf(String id, @Nullable Instant created, Rule... rules) {
    return route(
        meta(Fixtures.GATEWAY_API + "/v1", "HTTPRoute", id, created, Map.of()),
        List.of(parent("shop/web")),
        List.of(),
        rules);
  }

  private static HttpRoute on(String id, List<String> hostnames, Rule... rules) {
    return route(id, List.of(parent("shop/web")), hostnames, rules);
  }

  private static String found(RoutePlans<String> plans, RoutedRequest request) {
    return switch (plans.byMatch(request)) {
      case Lookup.Found<String>(var plan) -> plan;
      case Lookup.Unbound<String> unbound -> "unbound";
      case Lookup.Unresolved<String>(var why) -> "unresolved: " + why;
    };
  }

  private static String why(RoutePlans<String> plans, RoutedRequest request) {
    return plans.byMatch(request) instanceof Lookup.Unresolved<String>(var why) ? why : "resolved";
  }
}
