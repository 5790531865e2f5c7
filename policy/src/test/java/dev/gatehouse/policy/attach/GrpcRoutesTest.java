package dev.gatehouse.policy.attach;

import static dev.gatehouse.policy.attach.Fixtures.GATEWAY_API;
import static dev.gatehouse.policy.attach.Fixtures.HERE;
import static dev.gatehouse.policy.attach.Fixtures.attach;
import static dev.gatehouse.policy.attach.Fixtures.call;
import static dev.gatehouse.policy.attach.Fixtures.callLike;
import static dev.gatehouse.policy.attach.Fixtures.gateway;
import static dev.gatehouse.policy.attach.Fixtures.grpcRoute;
import static dev.gatehouse.policy.attach.Fixtures.header;
import static dev.gatehouse.policy.attach.Fixtures.jwt;
import static dev.gatehouse.policy.attach.Fixtures.listener;
import static dev.gatehouse.policy.attach.Fixtures.meta;
import static dev.gatehouse.policy.attach.Fixtures.name;
import static dev.gatehouse.policy.attach.Fixtures.parent;
import static dev.gatehouse.policy.attach.Fixtures.prefix;
import static dev.gatehouse.policy.attach.Fixtures.route;
import static dev.gatehouse.policy.attach.Fixtures.rule;
import static dev.gatehouse.policy.attach.Fixtures.security;
import static dev.gatehouse.policy.attach.Fixtures.sound;
import static dev.gatehouse.policy.attach.Fixtures.target;
import static dev.gatehouse.policy.attach.Fixtures.targets;
import static dev.gatehouse.policy.attach.Fixtures.texts;
import static dev.gatehouse.policy.resource.StringMatch.Type.EXACT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Gateway.AllowedRoutes;
import dev.gatehouse.policy.resource.Gateway.From;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Resource;
import dev.gatehouse.policy.resource.SecurityPolicy.ClaimToHeader;
import dev.gatehouse.policy.resource.Targets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** GRPCRoutes beside HTTPRoutes: what holds on them, which of two gets a host, and which rule a call takes. */
class GrpcRoutesTest {
  private static final Resource WEB = gateway("shop/web", listener("http"));
  private static final List<String> CALLS = List.of("calls.example");
  private static final List<String> PAGES = List.of("pages.example");
  private static final Instant OLD = Instant.parse("2026-01-01T00:00:00Z");

  private final Problems problems = new Problems();

  /** Each rule's SecurityPolicy, as {@code binding: policy}. */
  private static Stream<String> held(PolicySet set) {
    return set.rules().stream().map(rule -> rule.route() + ": " + name(rule.security()));
  }

  private static HttpRoute http(String id, List<String> hostnames) {
    return route(id, List.of(parent("shop/web")), hostnames, rule("all", prefix("/")));
  }

  private static HttpRoute grpc(String id, List<String> hostnames) {
    return grpcRoute(id, null, hostnames, rule("all", call("", "")));
  }

  @Test
  void a_policy_on_one_kind_of_route_does_not_hold_on_the_other_of_the_same_name() {
    var set = sound(
        WEB,
        http("shop/orders", PAGES),
        grpc("shop/orders", CALLS),
        security("shop/calls", targets(target("GRPCRoute", "orders", null))),
        security("shop/pages", targets(target("HTTPRoute", "orders", null))));

    assertThat(held(set))
        .containsExactlyInAnyOrder(
            "HTTPRoute/shop/orders/all: pages", "GRPCRoute/shop/orders/all: calls");
  }

  @Test
  void a_policy_on_a_rule_wins_over_one_on_the_route_and_that_over_the_gateways() {
    var set = sound(
        WEB,
        grpcRoute(
            "shop/orders",
            null,
            List.of(),
            rule("list", call("shop.Orders", "List")),
            rule("get", call("shop.Orders", "Get"))),
        grpc("shop/other", List.of("other.example")),
        security("shop/rule", targets(target("GRPCRoute", "orders", "list"))),
        security("shop/route", targets(target("GRPCRoute", "orders", null))),
        security("shop/web", targets(target("Gateway", "web", null))));

    assertThat(held(set))
        .containsExactlyInAnyOrder(
            "GRPCRoute/shop/orders/list: rule",
            "GRPCRoute/shop/orders/get: route",
            "GRPCRoute/shop/other/all: web");
  }

  @Test
  void a_rule_of_an_http_route_is_no_section_of_the_grpc_route_of_that_name() {
    attach(
        problems,
        WEB,
        http("shop/orders", PAGES),
        grpcRoute("shop/orders", null, CALLS, rule("list", call("shop.Orders", "List"))),
        security("shop/p", targets(target("GRPCRoute", "orders", "all"))));

    assertThat(texts(problems))
        .containsExactly(
            "shop.yaml:3:5: warning: spec.targetRefs[0].sectionName: GRPCRoute \"shop/orders\" has no rule named \"all\" (there are: list)");
  }

  @Test
  void labels_select_grpc_routes() {
    var labelled = route(
        meta(GATEWAY_API + "/v1", "GRPCRoute", "shop/orders", null, Map.of("team", "shop")),
        List.of(parent("shop/web")),
        List.of(),
        rule("all", call("", "")));
    var set = sound(
        WEB,
        labelled,
        security(
            "shop/p",
            new Targets(
                List.of(),
                List.of(new Targets.Selector(
                    GATEWAY_API, "GRPCRoute", Map.of("team", "shop"), HERE)))));

    assertThat(held(set)).containsExactly("GRPCRoute/shop/orders/all: p");
  }

  @Test
  void a_gateway_owns_the_headers_of_policies_on_its_grpc_routes_and_not_of_a_namesake() {
    var other = gateway("shop/other", listener("http"));
    var set = sound(
        WEB,
        other,
        grpc("shop/orders", List.of()),
        route("shop/orders", List.of(parent("shop/other")), List.of(), rule("all", prefix("/"))),
        jwt(
            "shop/p",
            targets(target("GRPCRoute", "orders", null)),
            new ClaimToHeader("sub", "X-User")));

    assertThat(set.gateways())
        .extracting(set::ownedHeaders)
        .containsExactly(new java.util.TreeSet<>(Set.of("x-user")), new java.util.TreeSet<>());
  }

  @Test
  void a_listener_takes_the_kinds_of_routes_that_it_allows() {
    var set = attach(
        problems,
        gateway(
            "shop/web",
            listener("pages", 80, null, kinds("HTTPRoute")),
            listener("calls", 81, null, kinds("GRPCRoute"))),
        http("shop/h", List.of()),
        grpc("shop/g", List.of()));

    assertThat(set.rules().stream().map(rule -> rule.listener().listener() + " " + rule.route()))
        .containsExactlyInAnyOrder("pages HTTPRoute/shop/h/all", "calls GRPCRoute/shop/g/all");
    assertThat(texts(problems)).isEmpty();
  }

  @Test
  void a_route_that_no_listener_takes_for_its_kind_is_told_so() {
    attach(
        problems,
        gateway("shop/web", listener("pages", 80, null, kinds("HTTPRoute"))),
        grpc("shop/g", List.of()));

    assertThat(texts(problems))
        .containsExactly(
            "shop.yaml:3:5: warning: spec.parentRefs[0]: no listener of Gateway \"shop/web\" takes GRPCRoute shop/g: listener \"pages\" lets in no GRPCRoute (allowedRoutes.kinds)");
  }

  private static AllowedRoutes kinds(String kind) {
    return new AllowedRoutes(From.SAME, Map.of(), Set.of(kind));
  }

  @ParameterizedTest
  @CsvSource({
    "a.example, a.example, true",
    "'', '', true",
    "*.example, a.example, true",
    "a.example, *.example, true",
    "'', a.example, true",
    "a.example, b.example, false",
    "*.a.example, a.example, false"
  })
  void of_an_http_route_and_a_grpc_route_for_one_host_the_second_by_name_gives_way(
      String http, String grpc, boolean gives) {
    var set = attach(
        problems,
        WEB,
        http("shop/a", http.isEmpty() ? List.of() : List.of(http)),
        grpc("shop/b", grpc.isEmpty() ? List.of() : List.of(grpc)));

    assertThat(
            set.rules().stream().filter(set::givesWay).map(rule -> rule.route().toString()))
        .containsExactlyElementsOf(gives ? List.of("GRPCRoute/shop/b/all") : List.of());
    assertThat(texts(problems)).hasSize(gives ? 1 : 0);
  }

  @Test
  void the_older_route_keeps_the_host_whatever_the_names() {
    var set = attach(
        problems,
        WEB,
        http("shop/a", List.of()),
        grpcRoute("shop/b", OLD, List.of(), rule("all", call("", ""))));

    assertThat(
            set.rules().stream().filter(set::givesWay).map(rule -> rule.route().toString()))
        .containsExactly("HTTPRoute/shop/a/all");
    assertThat(texts(problems))
        .containsExactly(
            "shop/a.yaml:1:1: warning: spec.hostnames: HTTPRoute shop/a gives way to GRPCRoute shop/b (shop/b.yaml:1:1) on listener shop/web/http: a host is for HTTPRoutes or for GRPCRoutes, and the older route has it, or the first by name; this one gets no requests there, except from a gateway that takes both, such as Envoy Gateway; give it hostnames of its own");
  }

  @Test
  void who_gave_way_takes_no_host_from_a_third() {
    var set = attach(
        problems,
        WEB,
        http("shop/a", List.of("a.example")),
        grpc("shop/b", List.of("a.example", "b.example")),
        http("shop/c", List.of("b.example")));

    assertThat(
            set.rules().stream().filter(set::givesWay).map(rule -> rule.route().toString()))
        .containsExactly("GRPCRoute/shop/b/all");
  }

  @Test
  void where_both_kinds_want_a_host_matching_is_not_certain_and_a_gateways_word_is() {
    var plans = RoutePlans.of(
        attach(
            problems,
            WEB,
            http("shop/a", List.of("*.example")),
            grpc("shop/b", List.of("calls.example"))),
        rule -> rule.route().toString(),
        null);

    assertThat(plans.byMatch(Asked.get("/x.Y/Z").at("calls.example")))
        .isEqualTo(
            new Lookup.Unresolved<>(
                "an HTTPRoute and a GRPCRoute share the host, and gateways differ in which one they take"));
    assertThat(plans.byMatch(Asked.get("/x.Y/Z").at("pages.example")))
        .isEqualTo(new Lookup.Found<>("HTTPRoute/shop/a/all"));
    assertThat(plans.byRouteMetadata("GRPCRoute", "shop", "b", "all"))
        .isEqualTo(new Lookup.Found<>("GRPCRoute/shop/b/all"));
  }

  @ParameterizedTest
  @CsvSource({
    "/shop.Orders/List, list",
    "/shop.Orders/Get, orders",
    "/shop.Orders/Watch, orders",
    "/shop.Orders, orders",
    "/shop.OrdersX/Get, get",
    "/shop.OrdersX/Other, any",
    "/shop.Admin/Get, admin",
    "/shop.Admin/Other, admin",
    "/shop.Admin.v2/Get, admin-v2",
    "/x/List, any",
    "/x/Get, get",
    "/x/y/Get, any",
    "/x/Watch, watch",
    "/x/Watcher, watch",
    "/, any"
  })
  void a_call_takes_the_longer_service_then_the_longer_method(String path, String rule) {
    var plans = plans(
        rule("any", call("", "")),
        rule("watch", callLike("", "Watch.*")),
        rule("get", call("", "Get")),
        rule("orders", call("shop.Orders", "")),
        rule("admin", callLike("shop.Admin.*", "")),
        rule("admin-v2", callLike("shop.Admin[.]v[0-9]+", "")),
        rule("list", call("shop.Orders", "List")));

    assertThat(plans.byMatch(Asked.get(path).as("POST"))).isEqualTo(new Lookup.Found<>(rule));
  }

  @Test
  void a_method_of_any_service_wins_over_any_call_with_more_headers() {
    var plans = plans(
        rule("any", header(header(call("", ""), "x-a", EXACT, "1"), "x-b", EXACT, "1")),
        rule("get", call("", "Get")),
        rule("get-a", header(call("", "Get"), "x-a", EXACT, "1")));
    var both = Map.of("x-a", List.of("1"), "x-b", List.of("1"));

    assertThat(plans.byMatch(new Asked("POST", "h", "/x/Get", both)))
        .isEqualTo(new Lookup.Found<>("get-a"));
    assertThat(plans.byMatch(Asked.get("/x/Get").with("x-b", "1")))
        .isEqualTo(new Lookup.Found<>("get"));
    assertThat(plans.byMatch(new Asked("POST", "h", "/x/Put", both)))
        .isEqualTo(new Lookup.Found<>("any"));
  }

  @Test
  void why_a_rule_stands_behind_another_is_said_in_the_words_of_calls() {
    var set = sound(
        WEB,
        grpcRoute(
            "shop/r",
            null,
            List.of(),
            rule("any", call("", "")),
            rule("get", call("", "Get")),
            rule("orders", call("shop.Orders", "")),
            rule("both", call("shop.Orders", "Get"))));

    assertThat(tried(set, "/shop.Orders/Get"))
        .containsExactly(
            "both: the first that matches",
            "orders: it matches too, but it names no method",
            "get: it matches too, but it names no service",
            "any: it matches too, but it names no service");
    assertThat(tried(set, "/x/Get"))
        .endsWith("get: the first that matches", "any: it matches too, but it names no method");
  }

  private static Stream<String> tried(PolicySet set, String path) {
    return RouteSearch.of(set).find(Asked.get(path)).stream()
        .flatMap(port -> port.tried().stream())
        .map(tried -> tried.entry().rule().route().rule() + ": " + tried.why());
  }

  private static RoutePlans<String> plans(HttpRoute.Rule... rules) {
    return RoutePlans.of(
        sound(WEB, grpcRoute("shop/r", null, List.of(), rules)),
        rule -> rule.route().rule(),
        null);
  }
}
