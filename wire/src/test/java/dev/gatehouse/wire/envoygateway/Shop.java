package dev.gatehouse.wire.envoygateway;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problem.Severity;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Load;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A shop behind Envoy Gateway, as tests look at it. */
final class Shop {
  static final ServiceRef SERVICE = ServiceRef.parse("gatehouse/ext-proc:9002");

  static final String ROUTE = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec: {gatewayClassName: envoy, listeners: [{name: http, port: 80, protocol: HTTP}]}
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: orders, namespace: shop}
      spec:
        parentRefs: [{name: web}]
        rules:
        - {name: create, matches: [{path: {value: /create}}], backendRefs: [{name: shop, port: 80}]}
        - {name: list, matches: [{path: {value: /list}}], backendRefs: [{name: shop, port: 80}]}
      """;

  private Shop() {}

  /** A TransformPolicy {@code name}; {@code spec} is block or flow YAML without indentation. */
  static String transform(String name, String target, String spec) {
    return policy("gatehouse.dev", "TransformPolicy", name, target, spec);
  }

  static String transform(String spec) {
    return transform("t", "kind: HTTPRoute, name: orders", spec);
  }

  static String extension(String name, String target, String spec) {
    return policy("gateway.envoyproxy.io", "EnvoyExtensionPolicy", name, target, spec);
  }

  private static String policy(String group, String kind, String name, String target, String spec) {
    return """
        ---
        apiVersion: %s/v1alpha1
        kind: %s
        metadata: {name: %s, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, %s}]
        """.formatted(group, kind, name, target) + spec.strip().indent(2);
  }

  /** What {@code wire} writes, and what it and reading say. */
  record Written(String yaml, List<Problem> problems) {}

  static Written written(String... documents) {
    return written(SERVICE, documents);
  }

  static Written written(ServiceRef extProc, String... documents) {
    var load = Load.text("shop.yaml", String.join("", documents));
    var yaml = ExtensionPolicies.yaml(load.policies(), extProc, load.problems());
    return new Written(yaml, load.problems().all());
  }

  /** What {@code lint} says of extension policies, notices among it. */
  static List<String> linted(@Nullable ServiceRef known, boolean expected, String... documents) {
    var load = Load.text("shop.yaml", String.join("", documents));
    var errors = load.problems().all().stream()
        .filter(p -> p.severity() == Severity.ERROR)
        .toList();
    if (!errors.isEmpty()) {
      throw new AssertionError(errors);
    }
    var problems = new Problems();
    ExtensionLint.check(load.policies(), known, expected, problems);
    return problems.all().stream().map(Problem::toString).toList();
  }
}
