package dev.gatehouse.wire.envoygateway;

import static dev.gatehouse.wire.envoygateway.Shop.ROUTE;
import static dev.gatehouse.wire.envoygateway.Shop.extension;
import static dev.gatehouse.wire.envoygateway.Shop.linted;
import static dev.gatehouse.wire.envoygateway.Shop.transform;
import static dev.gatehouse.wire.envoygateway.Shop.written;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExtensionPoliciesTest {
  private static final String MASKS = "response: [{json: [{op: mask, at: /card}]}]";

  @Test
  void a_route_whose_response_is_masked_asks_for_its_body_in_pieces() {
    var written = written(
        ROUTE,
        transform(
            "request: [{headers: {set: {x-user: '${auth.sub}', x-from: '${source.address}'}}}]\n"
                + MASKS));
    assertThat(written.problems()).isEmpty();
    assertThat(written.yaml()).isEqualTo("""
        apiVersion: "gateway.envoyproxy.io/v1alpha1"
        kind: "EnvoyExtensionPolicy"
        metadata:
          name: "gatehouse-httproute-orders"
          namespace: "shop"
          labels:
            app.kubernetes.io/managed-by: "gatehouse"
        spec:
          targetRefs:
          - group: "gateway.networking.k8s.io"
            kind: "HTTPRoute"
            name: "orders"
          extProc:
          - backendRefs:
            - name: "ext-proc"
              namespace: "gatehouse"
              port: 9002
            messageTimeout: "5s"
            failOpen: false
            processingMode:
              request:
                attributes:
                - "source.address"
                - "xds.route_metadata"
              response:
                body: "FullDuplexStreamed"
                attributes:
                - "response.code_details"
                - "source.address"
                - "xds.route_metadata"
            metadata:
              accessibleNamespaces:
              - "envoy.filters.http.ext_authz"
        ---
        apiVersion: "gateway.networking.k8s.io/v1beta1"
        kind: "ReferenceGrant"
        metadata:
          name: "gatehouse-ext-proc"
          namespace: "gatehouse"
          labels:
            app.kubernetes.io/managed-by: "gatehouse"
        spec:
          from:
          - group: "gateway.envoyproxy.io"
            kind: "EnvoyExtensionPolicy"
            namespace: "shop"
          to:
          - group: ""
            kind: "Service"
            name: "ext-proc"
        """);
  }

  @Test
  void a_backend_is_called_by_its_kind_and_needs_no_port() {
    var backend = ServiceRef.parse("Backend/infra/ext-proc.v2");
    var yaml = written(backend, ROUTE, transform(MASKS)).yaml();
    assertThat(yaml).contains("""
            - group: "gateway.envoyproxy.io"
              kind: "Backend"
              name: "ext-proc.v2"
              namespace: "infra"
            messageTimeout: "5s"
        """, """
          to:
          - group: "gateway.envoyproxy.io"
            kind: "Backend"
            name: "ext-proc.v2"
        """);
    assertThat(linted(backend, true, ROUTE, transform(MASKS), "---\n", yaml)).isEmpty();
    assertThat(linted(
            ServiceRef.parse("infra/ext-proc:1"), true, ROUTE, transform(MASKS), "---\n", yaml))
        .singleElement()
        .asString()
        .contains("none of these processors is ours");
  }

  @Test
  void a_route_that_would_give_way_to_one_of_the_other_kind_is_asked_for_too() {
    var grpc = """
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: GRPCRoute
        metadata: {name: payments, namespace: shop}
        spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
        """;
    var policy =
        transform("p", "kind: GRPCRoute, name: payments", "request: [{respond: {status: 403}}]");
    var written = written(ROUTE, grpc, policy);
    assertThat(written.yaml()).contains("name: \"gatehouse-grpcroute-payments\"");
    assertThat(linted(Shop.SERVICE, true, ROUTE, grpc, policy))
        .singleElement()
        .asString()
        .contains("no EnvoyExtensionPolicy sends GRPCRoute shop/payments");
  }

  @Test
  void headers_alone_are_asked_for_with_no_word_about_the_request() {
    assertThat(written(ROUTE, transform("response: [{headers: {remove: [server]}}]"))
            .yaml())
        .contains("messageTimeout: \"500ms\"", "response:\n")
        .doesNotContain("request:", "body:", "accessibleNamespaces", "allowModeOverride");
  }

  @Test
  void a_whole_body_however_small_is_never_buffered_by_the_gateway_which_would_send_no_trailers() {
    for (var limit : List.of("1Ki", "32Ki", "33Ki")) {
      var spec = "limits: {requestBytes: %1$s, responseBytes: %1$s}\n".formatted(limit)
          + "request: [{when: '!has(request.body.id)', respond: {status: 422}}]\n"
          + "response: [{when: response.body.open, headers: {remove: [server]}}]";
      var yaml = written(ROUTE, transform(spec)).yaml();
      assertThat(yaml.split("body: \"FullDuplexStreamed\"", -1)).as(limit).hasSize(3);
      assertThat(yaml).doesNotContain("Buffered", "allowModeOverride");
    }
  }

  @Test
  void rules_that_need_different_things_have_a_policy_each() {
    var yaml = written(
            ROUTE,
            transform("t", "kind: HTTPRoute, name: orders, sectionName: create", MASKS),
            transform(
                "u",
                "kind: HTTPRoute, name: orders, sectionName: list",
                "response: [{headers: {remove: [server]}}]"))
        .yaml();
    assertThat(yaml)
        .contains(
            "name: \"gatehouse-httproute-orders.create-",
            "sectionName: \"create\"",
            "name: \"gatehouse-httproute-orders.list-",
            "sectionName: \"list\"")
        .doesNotContain("name: \"gatehouse-httproute-orders\"");
    assertThat(yaml.split("FullDuplexStreamed", -1)).hasSize(2);
  }

  @Test
  void a_rule_without_a_policy_is_left_out() {
    assertThat(written(
                ROUTE, transform("t", "kind: HTTPRoute, name: orders, sectionName: create", MASKS))
            .yaml())
        .contains("sectionName: \"create\"")
        .doesNotContain("\"list\"");
    assertThat(written(ROUTE).yaml()).isEmpty();
  }

  @Test
  void rules_without_names_are_asked_for_together_and_a_named_one_beside_them() {
    var unnamed = ROUTE.replace("name: list, ", "");
    var yaml = written(
            unnamed,
            transform("response: [{headers: {remove: [server]}}]"),
            transform("t2", "kind: HTTPRoute, name: orders, sectionName: create", MASKS))
        .yaml();
    assertThat(yaml)
        .contains(
            "name: \"gatehouse-httproute-orders\"", "name: \"gatehouse-httproute-orders.create-");
  }

  @Test
  void a_rule_and_a_route_with_dots_in_their_names_are_told_apart_whoever_is_written_first() {
    var rule = transform("t", "kind: HTTPRoute, name: orders, sectionName: create", MASKS);
    var dotted = transform("u", "kind: HTTPRoute, name: orders.create", MASKS);
    var alone = names(written(ROUTE, rule)).getFirst();
    assertThat(alone).matches("gatehouse-httproute-orders\\.create-[0-9a-f]{8}");
    assertThat(names(written(ROUTE, otherRoute("orders.create", "x"), rule, dotted)))
        .as("a name does not depend on what else is there")
        .containsExactly(alone, "gatehouse-httproute-orders.create");
  }

  @Test
  void two_rules_whose_routes_and_names_join_to_the_same_are_told_apart() {
    var written = written(
        ROUTE,
        otherRoute("a", "b.c"),
        otherRoute("a.b", "c"),
        transform("t", "kind: HTTPRoute, name: a, sectionName: b.c", MASKS),
        transform("u", "kind: HTTPRoute, name: a.b, sectionName: c", MASKS));
    assertThat(written.problems()).isEmpty();
    assertThat(names(written))
        .hasSize(2)
        .doesNotHaveDuplicates()
        .allMatch(name -> name.startsWith("gatehouse-httproute-a.b.c-"));
  }

  @Test
  void a_route_that_is_called_like_a_rules_policy_is_an_error_and_replaces_nothing() {
    var rule = transform("t", "kind: HTTPRoute, name: orders, sectionName: create", MASKS);
    var taken = names(written(ROUTE, rule)).getFirst();
    var route = taken.substring("gatehouse-httproute-".length());
    var written = written(
        ROUTE,
        otherRoute(route, "x"),
        rule,
        transform("u", "kind: HTTPRoute, name: " + route, MASKS));
    assertThat(names(written)).containsExactly(taken);
    assertThat(written.problems())
        .singleElement()
        .asString()
        .startsWith("shop.yaml:")
        .contains("HTTPRoute shop/" + route, "called " + taken, "call the route something else");
  }

  @Test
  void a_name_that_would_be_too_long_is_cut_and_still_a_name() {
    for (int length = 233; length <= 253; length++) {
      var route = "a".repeat(length - 2) + ".b";
      for (var rule : Arrays.asList(null, "list")) {
        var name = PolicyName.of("HTTPRoute", route, rule);
        assertThat(name)
            .hasSizeLessThanOrEqualTo(253)
            .matches("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
        assertThat(name).isNotEqualTo(PolicyName.of("HTTPRoute", route + "c", rule));
      }
    }
    assertThat(PolicyName.of("HTTPRoute", "a".repeat(233), null)).hasSize(253).endsWith("aaa");
  }

  private static String otherRoute(String name, String rule) {
    return """
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: %1$s, namespace: shop}
        spec:
          parentRefs: [{name: web}]
          rules:
          - {name: %2$s, matches: [{path: {value: /%1$s}}], backendRefs: [{name: shop, port: 80}]}
          - {name: rest, matches: [{path: {value: /%1$s/rest}}], backendRefs: [{name: shop, port: 80}]}
        """.formatted(name, rule);
  }

  /** Of the EnvoyExtensionPolicies, in the order in which they were written. */
  private static List<String> names(Shop.Written written) {
    return written
        .yaml()
        .lines()
        .filter(line -> line.startsWith("  name: \"gatehouse-httproute"))
        .map(line -> line.substring(line.indexOf('"') + 1, line.length() - 1))
        .toList();
  }

  @Test
  void what_ext_proc_may_write_is_named() {
    assertThat(written(ROUTE, transform("request: [{metadata: {tenant: '${request.path}'}}]"))
            .yaml())
        .contains("writableNamespaces:\n      - \"gatehouse.ext_proc\"");
  }

  @Test
  void what_another_filter_said_is_named() {
    assertThat(written(
                ROUTE,
                transform("request: [{headers: {set: {x: \"${metadata['my.filter'].tier}\"}}}]"))
            .yaml())
        .contains("accessibleNamespaces:\n      - \"my.filter\"");
  }

  @Test
  void a_gateways_lua_is_kept_by_merging() {
    var lua = extension("lua", "kind: Gateway, name: web", "lua: [{type: Inline, inline: x}]");
    assertThat(written(ROUTE, transform(MASKS), lua).yaml())
        .contains("mergeType: \"StrategicMerge\"");
    assertThat(written(ROUTE, transform(MASKS)).yaml()).doesNotContain("mergeType");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kind: HTTPRoute, name: orders",
        "kind: HTTPRoute, name: orders, sectionName: list",
      })
  void a_route_that_has_another_policy_is_left_to_whoever_wrote_that(String target) {
    var other = extension("other", target, "extProc: [{backendRefs: [{name: other, port: 1}]}]");
    var written = written(ROUTE, transform(MASKS), other);
    assertThat(written.yaml()).isEmpty();
    assertThat(written.problems())
        .singleElement()
        .asString()
        .startsWith("shop.yaml:")
        .contains("spec.extProc", "takes one EnvoyExtensionPolicy a target", "name: ext-proc");
  }

  @Test
  void a_gateways_other_processor_would_be_replaced_and_that_is_said() {
    var other = extension(
        "other", "kind: Gateway, name: web", "extProc: [{backendRefs: [{name: o, port: 1}]}]");
    assertThat(written(ROUTE, transform(MASKS), other).problems())
        .singleElement()
        .asString()
        .contains("takes the place of these processors");
  }

  @Test
  void one_that_calls_us_already_is_left_as_it_is() {
    var ours = extension(
        "mine",
        "kind: HTTPRoute, name: orders",
        "extProc: [{backendRefs: [{name: ext-proc, namespace: gatehouse, port: 9002}]}]");
    var written = written(ROUTE, transform(MASKS), ours);
    assertThat(written.yaml()).isEmpty();
    assertThat(written.problems()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "request: [{headers: {set: {x-a: b}}}]",
        "response: [{headers: {remove: [server]}}]",
        "response: [{headers: {set: {x-a: '${request.path} ${auth.sub} ${source.address}'}}}]",
        "request: [{json: [{op: remove, at: /x}]}]",
        MASKS,
        "limits: {responseBytes: 9Ki}\nresponse: [{when: response.body.x, headers: {remove: [a]}}]",
        "response: [{when: response.body.x, headers: {remove: [a]}}]",
        "request: [{when: request.body.x, headers: {remove: [a]}}]\n" + MASKS,
        "request: [{metadata: {tenant: '${request.path}'}}]",
        "localReplies: Transform\nresponse: [{headers: {remove: [server]}}]",
        "request: [{headers: {set: {x: \"${metadata['n.1'].a}${metadata['n.2'].a}${metadata['n.3'].a}${metadata['n.4'].a}${metadata['n.5'].a}${metadata['n.6'].a}${metadata['n.7'].a}${metadata['n.8'].a}${metadata['n.9'].a}\"}}}]",
      })
  void what_is_written_is_read_back_and_lint_has_nothing_to_say(String spec) {
    var written = written(ROUTE, transform(spec));
    assertThat(written.problems()).isEmpty();
    assertThat(linted(Shop.SERVICE, true, ROUTE, transform(spec), "---\n" + written.yaml()))
        .isEmpty();
    assertThat(linted(null, true, ROUTE, transform(spec), "---\n" + written.yaml()))
        .as("known by the label")
        .isEmpty();
    assertThat(written(ROUTE, transform(spec), "---\n" + written.yaml()).yaml())
        .as("written again")
        .isEqualTo(written.yaml());
  }
}
