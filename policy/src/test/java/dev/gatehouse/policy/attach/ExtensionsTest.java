package dev.gatehouse.policy.attach;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.resource.RejectedPolicy;
import dev.gatehouse.policy.source.Load;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which EnvoyExtensionPolicy Envoy Gateway puts in front of a rule. */
class ExtensionsTest {
  private static final String ROUTES = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec: {gatewayClassName: c, listeners: [{name: http, port: 80, protocol: HTTP}]}
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: orders, namespace: shop}
      spec: {parentRefs: [{name: web}], rules: [{name: create}, {name: list}]}
      """;

  private static String policy(String name, String target, String rest) {
    return """
        ---
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: EnvoyExtensionPolicy
        metadata: {name: %s, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, %s}]
          %s
        """.formatted(name, target, rest);
  }

  private static final String GATEWAY = policy("web", "kind: Gateway, name: web", "lua: []");
  private static final String ROUTE = policy("orders", "kind: HTTPRoute, name: orders", "wasm: []");

  private static List<String> names(int rule, String... policies) {
    return extensions(rule, policies).stream()
        .map(policy -> policy.meta().name())
        .toList();
  }

  private static List<Policy> extensions(int rule, String... policies) {
    var set = Load.text("shop.yaml", ROUTES + String.join("", policies)).policies();
    return set.extensions(set.rules().get(rule));
  }

  @Test
  void the_most_specific_one_holds_alone() {
    assertThat(names(0)).isEmpty();
    assertThat(names(0, GATEWAY)).containsExactly("web");
    assertThat(names(0, GATEWAY, ROUTE)).containsExactly("orders");
    var create = policy("create", "kind: HTTPRoute, name: orders, sectionName: create", "wasm: []");
    assertThat(names(0, GATEWAY, ROUTE, create)).containsExactly("create");
    assertThat(names(1, GATEWAY, ROUTE, create)).containsExactly("orders");
  }

  @Test
  void one_that_merges_has_its_gateways_behind_it() {
    var merging = policy("orders", "kind: HTTPRoute, name: orders", "mergeType: StrategicMerge");
    assertThat(names(0, GATEWAY, merging)).containsExactly("orders", "web");
    assertThat(names(0, merging)).containsExactly("orders");
  }

  @Test
  void one_that_cannot_be_read_is_rejected_and_refuses_nothing() {
    var bad = policy("orders", "kind: HTTPRoute, name: orders", "extPorc: []");
    assertThat(extensions(0, bad)).singleElement().isInstanceOf(RejectedPolicy.class);
    var rule = Load.text("shop.yaml", ROUTES + bad).policies().rules().getFirst();
    assertThat(rule.transform()).isInstanceOf(Attachment.None.class);
    assertThat(rule.guarded()).isFalse();
  }
}
