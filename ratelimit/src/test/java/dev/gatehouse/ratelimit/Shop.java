package dev.gatehouse.ratelimit;

import dev.gatehouse.policy.source.Load;
import java.util.List;

/** A shop's Gateway and route with a BackendTrafficPolicy on it, for tests. */
public final class Shop {
  private static final String GATEWAY_AND_ROUTE = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec:
        gatewayClassName: gatehouse
        listeners: [{name: http, port: 8080, protocol: HTTP}]
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: orders, namespace: shop}
      spec:
        parentRefs: [{name: web}]
        hostnames: [%s]
        rules:
        - matches: [{path: {value: /orders}}, {path: {value: /baskets}}]
      ---
      """;

  private static final String POLICY = """
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: BackendTrafficPolicy
      metadata: {name: limits, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
        rateLimit:
          type: Global
          global:
            rules:
      """;

  private static final String AUTH = """
      apiVersion: gatehouse.dev/v1alpha1
      kind: AuthPolicy
      metadata: {name: callers, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
        jwt: {providers: [{name: idp, remoteJWKS: {uri: "https://idp.example/jwks"}}]}
        response: {metadata: {weight: "${auth.claims.weight}"}}
      ---
      """;

  private static final String OURS = """
      apiVersion: gatehouse.dev/v1alpha1
      kind: RateLimitPolicy
      metadata: {name: limits, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
      """;

  public static final String DOMAIN = "shop/web/http";

  /** The first descriptor entry of the first match, for {@code shop.example}. */
  public static final String ROUTE = "httproute/shop/orders/rule/0/match/0/shop_example";

  private Shop() {}

  /** @param rules {@code spec.rateLimit.global.rules}, in YAML's flow style, one a line */
  public static Load with(String... rules) {
    return withHosts("shop.example", rules);
  }

  public static Load withHosts(String hosts, String... rules) {
    return Load.text("shop.yaml", yaml(hosts, List.of(rules)));
  }

  /** With a RateLimitPolicy, and an AuthPolicy that says who the caller is and what {@code weight} the call has. @param spec its rules and the rest, in block style; behind it other documents, each with its {@code ---} */
  public static Load ours(String spec, String... documents) {
    return Load.text(
        "shop.yaml",
        GATEWAY_AND_ROUTE.formatted("shop.example")
            + AUTH
            + OURS
            + spec.indent(2)
            + String.join("", documents));
  }

  public static String yaml(String rule) {
    return yaml("shop.example", List.of(rule));
  }

  private static String yaml(String hosts, List<String> rules) {
    var yaml = new StringBuilder(GATEWAY_AND_ROUTE.formatted(hosts)).append(POLICY);
    rules.forEach(rule -> yaml.append("      - ").append(rule).append('\n'));
    return yaml.toString();
  }

  public static Load withoutPolicy() {
    return Load.text("shop.yaml", GATEWAY_AND_ROUTE.formatted("shop.example"));
  }
}
