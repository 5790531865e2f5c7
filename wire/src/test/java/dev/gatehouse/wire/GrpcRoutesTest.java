package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.json;
import static dev.gatehouse.wire.Wired.rule;
import static dev.gatehouse.wire.Wired.shop;
import static dev.gatehouse.wire.Wired.toFilter;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** A GRPCRoute in Envoy's words. */
class GrpcRoutesTest {
  /** A GRPCRoute {@code shop/r}; {@code spec} as in {@link Wired#route}. */
  private static String grpc(String spec) {
    return Wired.route(spec).replace("kind: HTTPRoute", "kind: GRPCRoute");
  }

  private static String list(String rest) {
    return grpc(
        "rules:\n- name: list\n  matches: [{method: {service: shop.Orders, method: List}}]\n"
            + rest.indent(2));
  }

  @Test
  void a_route_bears_its_kind_in_its_name_metadata_and_binding() {
    var route = shop(list(TO_UP), """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: SecurityPolicy
        metadata: {name: p, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: GRPCRoute, name: r, sectionName: list}]
          authorization: {defaultAction: Deny}
        """).onlyRoute();

    assertThat(route.get("name").asString()).isEqualTo("grpcroute/shop/r/rule/0/match/0/*");
    assertThat(route.at("/metadata/filter_metadata/envoy-gateway/resources/0"))
        .isEqualTo(json("{kind: GRPCRoute, name: r, namespace: shop, sectionName: list}"));
    assertThat(toFilter(route, "ext_authz").at("/check_settings/context_extensions"))
        .isEqualTo(json(
            "{gatehouse.dev/listener: shop/web/http, gatehouse.dev/route: GRPCRoute/shop/r/list}"));
  }

  @Test
  void matches_stand_in_the_gateway_apis_order() {
    var wired = shop(grpc("""
        rules:
        - {name: any, %1$s}
        - {name: method, matches: [{method: {method: Get}}], %1$s}
        - {name: service, matches: [{method: {service: shop.Orders}, headers: [{name: x-a, value: b}]}], %1$s}
        - {name: like, matches: [{method: {type: RegularExpression, service: "shop[.].*", method: "G.*"}}], %1$s}
        - {name: both, matches: [{method: {service: shop.Orders, method: Get}}], %1$s}
        """.formatted(TO_UP)));

    assertThat(wired.routes("*").stream().map(route -> route.get("match")))
        .containsExactly(
            json("{path: /shop.Orders/Get}"),
            json("{safe_regex: {regex: '/(?:shop[.].*)/(?:G.*)'}}"),
            json(
                "{path_separated_prefix: /shop.Orders, headers: [{name: x-a, string_match: {exact: b}}]}"),
            json("{safe_regex: {regex: '/[^/]+/Get'}}"),
            json("{prefix: /}"));
  }

  @Test
  void a_backend_of_both_kinds_of_routes_is_two_clusters_and_speaks_http2_to_grpc() {
    var wired = shop(
        rule(TO_UP).replace("spec:\n", "spec:\n  hostnames: [pages.example]\n"),
        list(TO_UP).replace("spec:\n", "spec:\n  hostnames: [calls.example]\n"));

    assertThat(wired.problems()).isEmpty();
    assertThat(wired.routes("pages.example").getFirst().at("/route/cluster").asString())
        .isEqualTo("backend/shop/up");
    assertThat(wired.routes("calls.example").getFirst().at("/route/cluster").asString())
        .isEqualTo("backend/shop/up/grpc");
    assertThat(wired.cluster("backend/shop/up").has("typed_extension_protocol_options"))
        .isFalse();
    assertThat(
            wired
                .cluster("backend/shop/up/grpc")
                .at(
                    "/typed_extension_protocol_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"))
        .isEqualTo(
            json(
                "{'@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}"));
  }

  @Test
  void a_stream_is_not_cut_but_by_its_clients_own_deadline_or_an_hour_of_silence() {
    var action = shop(list(TO_UP)).onlyRoute().get("route");

    assertThat(action.get("timeout").asString()).isEqualTo("0s");
    assertThat(action.get("idle_timeout").asString()).isEqualTo("3600s");
    assertThat(action.get("max_stream_duration")).isEqualTo(json("{grpc_timeout_header_max: 0s}"));
  }

  @Test
  void a_call_that_has_no_backend_is_answered_503_which_a_client_sees_as_unavailable() {
    assertThat(shop(list("")).onlyRoute().at("/direct_response/status").asInt()).isEqualTo(503);
    assertThat(
            shop(list("backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: gone}]"))
                .onlyRoute()
                .at("/route/cluster_not_found_response_code")
                .asString())
        .isEqualTo("SERVICE_UNAVAILABLE");
  }

  @Test
  void header_modifiers_are_written() {
    var route = shop(list("""
        filters:
        - {type: RequestHeaderModifier, requestHeaderModifier: {remove: [x-a]}}
        - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-b, value: c}]}}
        """ + TO_UP)).onlyRoute();

    assertThat(route.get("request_headers_to_remove")).isEqualTo(json("[x-a]"));
    assertThat(route.at("/response_headers_to_add/0/header"))
        .isEqualTo(json("{key: x-b, value: c}"));
  }

  @Test
  void of_both_kinds_for_one_host_the_one_that_gives_way_is_left_out_with_a_warning() {
    var wired =
        shop(Wired.route("rules: [{" + TO_UP + "}]").replace("name: r,", "name: a,"), list(TO_UP));

    assertThat(wired.routeNames("*")).containsExactly("httproute/shop/a/rule/0/match/0/*");
    assertThat(wired.warnings())
        .singleElement()
        .asString()
        .contains("GRPCRoute shop/r gives way to HTTPRoute shop/a");
  }

  @Test
  void changes_of_json_bodies_on_calls_are_warned_of() {
    var wired = shop(list(TO_UP), """
        apiVersion: gatehouse.dev/v1alpha1
        kind: TransformPolicy
        metadata: {name: t, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: GRPCRoute, name: r}]
          response: [{json: [{op: remove, at: /x}]}]
        """);

    assertThat(wired.warnings())
        .singleElement()
        .asString()
        .contains("reads bodies, and those of a gRPC call are protobuf");
  }

  @Test
  void a_limit_on_a_grpc_route_counts_under_its_own_name() {
    var route = shop(list(TO_UP), """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: BackendTrafficPolicy
        metadata: {name: l, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: GRPCRoute, name: r}]
          rateLimit: {global: {rules: [{limit: {requests: 5, unit: Hour}}]}}
        """).onlyRoute();

    assertThat(List.of(toFilter(route, "ratelimit")
            .at("/rate_limits/0/actions/0/generic_key/descriptor_key")
            .asString()))
        .containsExactly("grpcroute/shop/r/rule/0/match/0/*");
  }
}
