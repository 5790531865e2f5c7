package dev.gatehouse.e2e;

/** The shop of tests whose point is something else: a Gateway {@code web}, whose listener {@code http} is on 8080, and a Backend {@code up}. */
public final class ShopYaml {
  public static final String GATEWAY = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec:
        gatewayClassName: gatehouse
        listeners: [{name: http, port: 8080, protocol: HTTP}]
      ---
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: Backend
      metadata: {name: up, namespace: shop}
      spec: {endpoints: [{ip: {address: 10.0.0.1, port: 80}}]}
      """;

  private ShopYaml() {}

  /**
   * An HTTPRoute to the Backend, behind a separator.
   *
   * @param match in flow style
   */
  public static String route(String name, String match) {
    return """
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: %s, namespace: shop}
        spec:
          parentRefs: [{name: web}]
          rules:
          - matches: [%s]
            backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: up}]
        """.formatted(name, match);
  }
}
