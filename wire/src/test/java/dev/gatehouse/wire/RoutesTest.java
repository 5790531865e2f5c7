package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.json;
import static dev.gatehouse.wire.Wired.rule;
import static dev.gatehouse.wire.Wired.shop;
import static dev.gatehouse.wire.Wired.toFilter;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RoutesTest {
  @Test
  void a_route_bears_envoy_gateways_name_and_metadata() {
    var route = shop(rule(TO_UP)).onlyRoute();
    assertThat(route.get("name").asString()).isEqualTo("httproute/shop/r/rule/0/match/0/*");
    assertThat(route.at("/metadata/filter_metadata/envoy-gateway/resources/0"))
        .isEqualTo(json("{kind: HTTPRoute, name: r, namespace: shop, sectionName: a}"));
  }

  @Test
  void every_kind_of_match_is_written() {
    var wired = shop(Wired.route("""
        rules:
        - matches:
          - path: {type: Exact, value: /exact}
            method: POST
            headers: [{name: X-A, value: one}, {name: x-b, type: RegularExpression, value: "b.*"}]
            queryParams: [{name: q, value: v}, {name: p, type: RegularExpression, value: "[0-9]+"}]
          %s
        """.formatted(TO_UP)));
    assertThat(wired.onlyRoute().get("match")).isEqualTo(json("""
        path: /exact
        headers:
        - {name: ":method", string_match: {exact: POST}}
        - {name: x-a, string_match: {exact: one}}
        - {name: x-b, string_match: {safe_regex: {regex: "b.*"}}}
        query_parameters:
        - {name: q, string_match: {exact: v}}
        - {name: p, string_match: {safe_regex: {regex: "[0-9]+"}}}
        """));
  }

  @Test
  void a_prefix_ends_at_a_path_element_and_the_root_takes_all() {
    var wired = shop(Wired.route("""
        rules:
        - matches: [{path: {type: PathPrefix, value: /a/}}, {path: {type: PathPrefix, value: /}}, {path: {type: RegularExpression, value: "/x/[a-z]+"}}]
          %s
        """.formatted(TO_UP)));
    assertThat(wired.routes("*").stream().map(r -> r.get("match")))
        .containsExactlyInAnyOrder(
            json("{path_separated_prefix: /a}"),
            json("{prefix: /}"),
            json("{safe_regex: {regex: '/x/[a-z]+'}}"));
  }

  @Test
  void routes_stand_in_the_gateway_apis_order_whatever_the_order_of_the_rules() {
    var wired = shop(Wired.route("""
        rules:
        - {name: root, %1$s}
        - {name: get, matches: [{path: {type: PathPrefix, value: /a}, method: GET}], %1$s}
        - {name: short, matches: [{path: {type: PathPrefix, value: /a}}], %1$s}
        - {name: long, matches: [{path: {type: PathPrefix, value: /a/b}}], %1$s}
        - {name: header, matches: [{path: {type: PathPrefix, value: /a}, headers: [{name: x, value: y}]}], %1$s}
        - {name: exact, matches: [{path: {type: Exact, value: /a}}], %1$s}
        """.formatted(TO_UP)));
    assertThat(wired.routes("*").stream()
            .map(r -> r.at("/metadata/filter_metadata/envoy-gateway/resources/0/sectionName")
                .asString()))
        .containsExactly("exact", "long", "get", "header", "short", "root");
  }

  @Test
  void one_backend_is_a_cluster_and_several_are_weighed() {
    assertThat(shop(rule(TO_UP)).onlyRoute().at("/route/cluster").asString())
        .isEqualTo("backend/shop/up");
    var weighed = shop(rule("""
        backendRefs:
        - {group: gateway.envoyproxy.io, kind: Backend, name: up, weight: 9}
        - {group: gateway.envoyproxy.io, kind: Backend, name: gone, weight: 1}
        - {group: gateway.envoyproxy.io, kind: Backend, name: up, weight: 0}
        """));
    assertThat(weighed.onlyRoute().at("/route/weighted_clusters/clusters"))
        .isEqualTo(
            json("[{name: backend/shop/up, weight: 9}, {name: invalid-backend, weight: 1}]"));
    assertThat(weighed.onlyRoute().at("/route/cluster_not_found_response_code").asString())
        .isEqualTo("INTERNAL_SERVER_ERROR");
    assertThat(weighed.cluster("invalid-backend").isMissingNode()).isTrue();
  }

  @Test
  void a_rule_without_backends_answers_500() {
    assertThat(shop(rule("")).onlyRoute().at("/direct_response/status").asInt()).isEqualTo(500);
  }

  @Test
  void a_service_is_an_error_that_says_what_to_write() {
    var wired = shop(rule("backendRefs: [{name: orders, port: 8080}]"));
    assertThat(wired.errors())
        .singleElement()
        .asString()
        .startsWith("policies.yaml:")
        .contains("spec.rules[0].backendRefs[0]", "Service \"shop/orders\"", "name a Backend");
    assertThat(wired.onlyRoute().at("/route/cluster").asString()).isEqualTo("invalid-backend");
  }

  @Test
  void the_timeout_of_a_rule_is_the_routes() {
    assertThat(shop(rule("timeouts: {request: 1500ms}\n" + TO_UP))
            .onlyRoute()
            .at("/route/timeout")
            .asString())
        .isEqualTo("1.5s");
    assertThat(shop(rule("timeouts: {request: 0s}\n" + TO_UP))
            .onlyRoute()
            .at("/route/timeout")
            .asString())
        .isEqualTo("0s");
    assertThat(shop(rule(TO_UP)).onlyRoute().at("/route/timeout").isMissingNode())
        .isTrue();
  }

  @Test
  void an_open_route_asks_no_service() {
    var route = shop(rule(TO_UP)).onlyRoute();
    assertThat(route.get("typed_per_filter_config")).isEqualTo(json("""
        envoy.filters.http.ext_authz: {"@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true}
        """));
  }

  @Test
  void a_guarded_route_tells_ext_authz_who_it_is() {
    var route = shop(rule(TO_UP), GUARDED).onlyRoute();
    assertThat(toFilter(route, "ext_authz").at("/check_settings/context_extensions"))
        .isEqualTo(json(
            "{gatehouse.dev/listener: shop/web/http, gatehouse.dev/route: HTTPRoute/shop/r/a}"));
  }

  @Test
  void a_rejected_policy_is_guarded_too() {
    var route = shop(rule(TO_UP), GUARDED.replace("issuer:", "isuer:")).onlyRoute();
    assertThat(toFilter(route, "ext_authz").path("disabled").isMissingNode()).isTrue();
    assertThat(toFilter(route, "ext_authz")
            .at("/check_settings/context_extensions")
            .isEmpty())
        .isFalse();
  }

  @Test
  void ext_proc_gets_the_least_that_the_policy_needs() {
    var headers = shop(rule(TO_UP), transform("response: [{headers: {remove: [server]}}]"))
        .onlyRoute();
    assertThat(toFilter(headers, "ext_proc").get("overrides")).isEqualTo(json("""
        processing_mode: {request_header_mode: SKIP, response_header_mode: SEND, request_body_mode: NONE, response_body_mode: NONE, request_trailer_mode: SKIP, response_trailer_mode: SKIP}
        grpc_initial_metadata: [{key: x-gatehouse-listener, value: shop/web/http}, {key: x-gatehouse-route, value: HTTPRoute/shop/r/a}]
        """));
    assertThat(headers.has("request_body_buffer_limit")).isFalse();
    assertThat(headers.at("/route/upgrade_configs").isMissingNode()).isTrue();
  }

  @Test
  void
      json_that_is_changed_where_it_passes_comes_in_pieces_with_its_trailers_and_is_held_nowhere() {
    var bodies = shop(
            rule(TO_UP),
            transform(
                "limits: {requestBytes: 1Mi, responseBytes: 2Mi}\nresponse: [{json: [{op: mask, at: /card, keepLast: 4}]}]\nrequest: [{headers: {set: {a: b}}}]"))
        .onlyRoute();
    var mode = toFilter(bodies, "ext_proc").at("/overrides/processing_mode");
    assertThat(mode)
        .isEqualTo(
            json(
                "{request_header_mode: SEND, response_header_mode: SEND, request_body_mode: NONE, response_body_mode: FULL_DUPLEX_STREAMED, request_trailer_mode: SKIP, response_trailer_mode: SEND}"));
    assertThat(bodies.has("request_body_buffer_limit")).isFalse();
  }

  @Test
  void a_route_whose_bodies_are_read_as_a_whole_buffers_as_much_as_the_policy_allows() {
    var bodies = shop(
            rule(TO_UP),
            transform(
                "limits: {requestBytes: 1Mi, responseBytes: 2Mi}\nresponse: [{when: response.body.open, headers: {remove: [server]}}]\nrequest: [{json: [{op: move, at: /x, to: /y}]}]"))
        .onlyRoute();
    var mode = toFilter(bodies, "ext_proc").at("/overrides/processing_mode");
    assertThat(mode.get("request_body_mode").asString()).isEqualTo("BUFFERED");
    assertThat(mode.get("response_body_mode").asString()).isEqualTo("BUFFERED");
    assertThat(bodies.get("request_body_buffer_limit").asLong()).isEqualTo((2 << 20) + 65_536);
  }

  @Test
  void where_one_direction_comes_in_pieces_the_other_does_not_hold_back_either() {
    var bodies = shop(
            rule(TO_UP),
            transform(
                "request: [{json: [{op: move, at: /x, to: /y}]}]\nresponse: [{json: [{op: remove, at: /x}]}]"))
        .onlyRoute();
    var mode = toFilter(bodies, "ext_proc").at("/overrides/processing_mode");
    assertThat(mode.get("request_body_mode").asString()).isEqualTo("FULL_DUPLEX_STREAMED");
    assertThat(mode.get("request_trailer_mode").asString()).isEqualTo("SEND");
    assertThat(bodies.has("request_body_buffer_limit")).isFalse();
  }

  @Test
  void a_route_whose_bodies_are_read_is_never_upgraded() {
    for (var step : List.of("{op: remove, at: /x}", "{op: move, at: /x, to: /y}")) {
      var route =
          shop(rule(TO_UP), transform("request: [{json: [" + step + "]}]")).onlyRoute();
      assertThat(route.at("/route/upgrade_configs"))
          .isEqualTo(json("[{upgrade_type: websocket, enabled: false}]"));
    }
  }

  @Test
  void a_body_that_a_condition_looks_at_is_buffered_and_trailers_tell_that_there_is_none() {
    var mode = toFilter(
            shop(
                    rule(TO_UP),
                    transform(
                        "response: [{when: response.body.state == 'open', headers: {remove: [server]}}]"))
                .onlyRoute(),
            "ext_proc")
        .at("/overrides/processing_mode");
    assertThat(mode.get("response_body_mode").asString()).isEqualTo("BUFFERED");
    assertThat(mode.get("response_trailer_mode").asString()).isEqualTo("SEND");
    assertThat(mode.get("request_header_mode").asString())
        .as("what the client accepts must be what can be read")
        .isEqualTo("SEND");
  }

  @Test
  void metadata_that_a_step_reads_is_forwarded_on_its_route_and_only_there() {
    var wired = shop(
        rule(TO_UP),
        transform(
            "request: [{headers: {set: {x-tier: \"${metadata['my.filter'].tier} ${auth.sub}\"}}}]"));
    assertThat(toFilter(wired.onlyRoute(), "ext_proc").at("/overrides/metadata_options"))
        .isEqualTo(json("""
            forwarding_namespaces: {untyped: [envoy.filters.http.ext_authz, my.filter]}
            receiving_namespaces: {untyped: [gatehouse.ext_proc]}
            """));
    assertThat(wired.httpFilter("envoy.filters.http.ext_proc").at("/typed_config/metadata_options"))
        .isEqualTo(json("""
            forwarding_namespaces: {untyped: [envoy.filters.http.ext_authz]}
            receiving_namespaces: {untyped: [gatehouse.ext_proc]}
            """));
  }

  @Test
  void rate_limits_name_the_listener_as_domain_and_the_route_first() {
    var route = shop(rule(TO_UP), limit("""
        clientSelectors: [{headers: [{name: x-user, type: Distinct}, {name: x-tier, value: gold, invert: true}], sourceCIDR: {type: Distinct, value: 10.1.0.0/16}}]
        limit: {requests: 5, unit: Minute}
        """)).onlyRoute();
    assertThat(toFilter(route, "ratelimit").get("domain").asString()).isEqualTo("shop/web/http");
    assertThat(toFilter(route, "ratelimit").at("/rate_limits/0/actions")).isEqualTo(json("""
        - generic_key: {descriptor_key: "httproute/shop/r/rule/0/match/0/*", descriptor_value: "httproute/shop/r/rule/0/match/0/*"}
        - request_headers: {header_name: x-user, descriptor_key: rule-0-match-0}
        - header_value_match: {descriptor_key: rule-0-match-1, descriptor_value: rule-0-match-1, expect_match: false, headers: [{name: x-tier, string_match: {exact: gold}}]}
        - remote_address_match: {descriptor_key: masked_remote_address, descriptor_value: 10.1.0.0/16, address_matcher: {ranges: [{address_prefix: 10.1.0.0, prefix_len: 16}]}}
        - remote_address: {}
        """));
  }

  @Test
  void paths_that_upstreams_read_in_two_ways_are_refused_before_any_route() {
    var first = Wired.each(shop(rule(TO_UP)).hosts().findFirst().orElseThrow().get("routes"))
        .findFirst()
        .orElseThrow();
    assertThat(first.at("/direct_response/status").asInt()).isEqualTo(400);
    var regex = first.at("/match/safe_regex/regex").asString();
    assertThat(List.of("/a/..;/b", "/..;x=y", "/a/.;/b", "/a/..%3b/b", "/a/..%3B"))
        .allMatch(p -> p.matches(regex));
    assertThat(List.of("/a..;b", "/a;b", "/a/../b", "/...;x", "/a/b;v=1.2"))
        .noneMatch(p -> p.matches(regex));
  }

  static final String GUARDED = """
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: SecurityPolicy
      metadata: {name: s, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        jwt:
          providers:
          - name: corp
            issuer: https://idp.example
            remoteJWKS: {uri: "https://idp.example/jwks"}
            claimToHeaders: [{claim: sub, header: X-User}]
      """;

  static String transform(String spec) {
    return """
        apiVersion: gatehouse.dev/v1alpha1
        kind: TransformPolicy
        metadata: {name: t, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        """ + spec.indent(2);
  }

  static String limit(String rule) {
    return """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: BackendTrafficPolicy
        metadata: {name: b, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
          rateLimit:
            global:
              rules:
              -
        """ + rule.indent(8);
  }
}
