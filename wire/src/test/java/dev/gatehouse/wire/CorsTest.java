package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.json;
import static dev.gatehouse.wire.Wired.rule;
import static dev.gatehouse.wire.Wired.shop;
import static dev.gatehouse.wire.Wired.toFilter;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CorsTest {
  private static final String CORS = cors("""
      allowOrigins: ["https://*.shop.example", "http://localhost:3000"]
      allowMethods: [GET, POST]
      allowHeaders: [authorization]
      exposeHeaders: [x-total]
      maxAge: 1h
      allowCredentials: true
      """);

  @Test
  void the_policy_is_written_for_envoys_filter() {
    var route = shop(rule(TO_UP), CORS).onlyRoute();
    assertThat(toFilter(route, "cors")).isEqualTo(json("""
        "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
        allow_origin_string_match:
        - safe_regex: {regex: 'https://[^/?#@]+\\.shop\\.example'}
        - exact: http://localhost:3000
        allow_methods: GET, POST
        allow_headers: authorization
        expose_headers: x-total
        max_age: "3600"
        allow_credentials: true
        forward_not_matching_preflights: false
        """));
  }

  @Test
  void a_wildcard_covers_hosts_and_nothing_that_only_ends_like_one() {
    var origins =
        toFilter(shop(rule(TO_UP), CORS).onlyRoute(), "cors").get("allow_origin_string_match");
    var regex = origins.at("/0/safe_regex/regex").asString();
    assertThat(List.of("https://www.shop.example", "https://a.b.shop.example"))
        .allMatch(o -> o.matches(regex));
    assertThat(List.of(
            "https://shop.example",
            "https://www.shop.example.evil.com",
            "https://evil.com/.shop.example",
            "https://wwwXshop.example",
            "http://www.shop.example"))
        .noneMatch(o -> o.matches(regex));
  }

  @Test
  void the_filter_stands_before_ext_authz() {
    var names = Wired.each(shop(rule(TO_UP)).manager().get("http_filters"))
        .map(f -> f.get("name").asString())
        .toList();
    assertThat(names)
        .containsExactly(
            "envoy.filters.http.header_mutation",
            "envoy.filters.http.cors",
            "envoy.filters.http.ext_authz",
            "envoy.filters.http.ext_proc",
            "envoy.filters.http.ratelimit",
            "envoy.filters.http.router");
  }

  @Test
  void a_match_that_preflights_cannot_meet_gets_a_route_for_them_right_before_its_own() {
    var wired = shop(Wired.route("""
        rules:
        - matches: [{path: {type: PathPrefix, value: /a}, method: POST, headers: [{name: x-v, value: "2"}], queryParams: [{name: q, value: v}]}]
          %s
        """.formatted(TO_UP)), CORS);
    assertThat(wired.routeNames("*"))
        .containsExactly(
            "httproute/shop/r/rule/0/match/0/*/preflight", "httproute/shop/r/rule/0/match/0/*");
    var preflight = wired.routes("*").getFirst();
    assertThat(preflight.get("match")).isEqualTo(json("""
        path_separated_prefix: /a
        headers:
        - {name: ":method", string_match: {exact: OPTIONS}}
        - {name: origin, present_match: true}
        - {name: access-control-request-method, string_match: {exact: POST}}
        query_parameters: [{name: q, string_match: {exact: v}}]
        """));
    assertThat(toFilter(preflight, "ext_authz").get("disabled").asBoolean()).isTrue();
    assertThat(toFilter(preflight, "cors")).isEqualTo(toFilter(wired.onlyRoute(), "cors"));
  }

  @Test
  void a_match_that_preflights_meet_needs_no_route_for_them() {
    assertThat(shop(rule(TO_UP), CORS).routeNames("*"))
        .containsExactly("httproute/shop/r/rule/0/match/0/*");
  }

  @Test
  void cors_alone_guards_nothing() {
    assertThat(toFilter(shop(rule(TO_UP), CORS).onlyRoute(), "ext_authz")
            .get("disabled")
            .asBoolean())
        .isTrue();
  }

  @Test
  void cors_on_a_redirect_is_a_warning() {
    var wired =
        shop(rule("filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]"), CORS);
    assertThat(wired.warnings()).singleElement().asString().contains("CORS", "redirect");
  }

  private static String cors(String fields) {
    return """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: SecurityPolicy
        metadata: {name: s, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
          cors:
        """ + fields.indent(4);
  }
}
