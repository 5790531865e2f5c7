package dev.gatehouse.policy.resource;

import java.util.List;

/** What became of a text. */
record Read(List<Resource> resources, List<String> unreadable, List<String> problems) {
  static Read of(String yaml) {
    return of("p.yaml", yaml);
  }

  static Read of(String file, String yaml) {
    var problems = new Problems();
    var reader = new ResourceReader(problems);
    reader.read(file, yaml);
    return new Read(
        reader.resources(),
        reader.unreadable(),
        problems.all().stream().map(Problem::toString).toList());
  }

  /** The spec of a policy on the route {@code r}, every line indented by two. */
  static Read spec(String kind, String spec) {
    var group = List.of("TransformPolicy", "AuthPolicy", "RateLimitPolicy").contains(kind)
        ? "gatehouse.dev"
        : "gateway.envoyproxy.io";
    return of("""
        apiVersion: %s/v1alpha1
        kind: %s
        metadata: {name: p}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        """.formatted(group, kind) + spec.indent(2));
  }

  <T extends Resource> T only(Class<T> type) {
    if (!problems.isEmpty() || resources.size() != 1) {
      throw new AssertionError(
          "expected one " + type.getSimpleName() + " and no problem, got " + this);
    }
    return type.cast(resources.getFirst());
  }
}
