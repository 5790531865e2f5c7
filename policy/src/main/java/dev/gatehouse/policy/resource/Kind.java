package dev.gatehouse.policy.resource;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A kind that Gatehouse reads.
 *
 * @param versions the {@code apiVersion}s that it reads, the usual one first
 */
record Kind(String name, List<String> versions) {
  private static final String GATEHOUSE = "gatehouse.dev";
  private static final List<Kind> ALL = List.of(
      new Kind(
          "Gateway", List.of("gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1")),
      new Kind(
          "HTTPRoute",
          List.of("gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1")),
      new Kind(HttpRoute.GRPC_KIND, List.of("gateway.networking.k8s.io/v1")),
      new Kind(
          "ReferenceGrant",
          List.of("gateway.networking.k8s.io/v1beta1", "gateway.networking.k8s.io/v1")),
      new Kind("Backend", List.of("gateway.envoyproxy.io/v1alpha1")),
      new Kind("SecurityPolicy", List.of("gateway.envoyproxy.io/v1alpha1")),
      new Kind("BackendTrafficPolicy", List.of("gateway.envoyproxy.io/v1alpha1")),
      new Kind(EnvoyExtensionPolicy.KIND, List.of("gateway.envoyproxy.io/v1alpha1")),
      new Kind("TransformPolicy", List.of("gatehouse.dev/v1alpha1")),
      new Kind("AuthPolicy", List.of("gatehouse.dev/v1alpha1")),
      new Kind("RateLimitPolicy", List.of("gatehouse.dev/v1alpha1")),
      new Kind("Secret", List.of("v1")),
      new Kind("ConfigMap", List.of("v1")));

  /** Kinds of the same groups that are somebody else's, and no typing error of one of ours. */
  private static final Set<String> OTHERS = Set.of(
      "TCPRoute",
      "TLSRoute",
      "UDPRoute",
      "GatewayClass",
      "ListenerSet",
      "BackendTLSPolicy",
      "ClientTrafficPolicy",
      "EnvoyPatchPolicy",
      "EnvoyProxy",
      "EnvoyGateway",
      "HTTPRouteFilter");

  /** The kind that is meant; null for one that is somebody else's. A typing error must not switch a policy off. */
  static @Nullable Kind meant(String apiVersion, String name) {
    var group = group(apiVersion);
    var named = ALL.stream().filter(kind -> kind.name.equals(name)).findFirst().orElse(null);
    if (named != null) {
      return named.group().equals(group) || isTypingError(group, named.group()) ? named : null;
    }
    if (OTHERS.contains(name)) {
      return null;
    }
    return ALL.stream()
        .filter(kind ->
            !kind.group().isEmpty() && kind.group().equals(group) && isTypingError(name, kind.name))
        .findFirst()
        .orElse(null);
  }

  /** Whether the version is of our own group, in which nobody else has kinds. */
  static boolean isOurs(String apiVersion) {
    return group(apiVersion).equals(GATEHOUSE);
  }

  private static boolean isTypingError(String given, String meant) {
    return Shown.closest(given, List.of(meant)) != null;
  }

  private String group() {
    return group(versions.getFirst());
  }

  private static String group(String apiVersion) {
    int slash = apiVersion.indexOf('/');
    return slash < 0 ? "" : apiVersion.substring(0, slash);
  }
}
