package dev.gatehouse.policy.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.Problem;
import org.junit.jupiter.api.Test;

class LoadTest {
  static final String SHOP = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: shop, namespace: shop}
      spec:
        gatewayClassName: gatehouse
        listeners:
        - {name: http, port: 8080, protocol: HTTP}
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: orders, namespace: shop}
      spec:
        parentRefs: [{name: shop}]
        rules:
        - name: read
          matches: [{path: {type: PathPrefix, value: /orders}, method: GET}]
          backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: shop}]
      ---
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: Backend
      metadata: {name: shop, namespace: shop}
      spec:
        endpoints: [{ip: {address: 127.0.0.1, port: 9000}}]
      """;

  static final String JWT = """
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: SecurityPolicy
      metadata: {name: orders, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
        jwt:
          providers:
          - name: corp
            issuer: https://idp.example.com
            remoteJWKS: {uri: "https://idp.example.com/jwks"}
      """;

  @Test
  void a_policy_is_attached_to_the_route_that_it_targets() {
    var load = Load.text("shop.yaml", SHOP + "---\n" + JWT);

    assertThat(load.problems().all()).extracting(Problem::toString).isEmpty();
    assertThat(load.policies().rules())
        .singleElement()
        .satisfies(rule -> assertThat(rule.security()).isInstanceOf(Attachment.Of.class));
  }
}
