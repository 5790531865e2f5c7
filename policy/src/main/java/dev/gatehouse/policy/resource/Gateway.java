package dev.gatehouse.policy.resource;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code gateway.networking.k8s.io/v1 Gateway}: the listeners that routes hang on. */
public record Gateway(Meta meta, List<Listener> listeners) implements Resource {
  /**
   * One of {@code spec.listeners}.
   *
   * @param protocol {@code HTTP} or {@code HTTPS}
   * @param hostname null means any
   * @param certificateRefs the Secrets (kubernetes.io/tls) of an HTTPS listener; empty for HTTP
   */
  public record Listener(
      String name,
      int port,
      String protocol,
      @Nullable String hostname,
      List<ObjectRef> certificateRefs,
      AllowedRoutes allowedRoutes,
      Origin origin) {}

  /**
   * {@code allowedRoutes}: the routes of which namespaces and kinds the listener takes.
   *
   * @param from {@code Same} (the default), {@code All} or {@code Selector}
   * @param matchLabels of the namespaces, where {@code from} is {@code Selector}
   * @param kinds {@code HTTPRoute}, {@code GRPCRoute} or others
   */
  public record AllowedRoutes(From from, Map<String, String> matchLabels, Set<String> kinds) {
    private static final Set<String> ANY_KIND = Set.of("HTTPRoute", HttpRoute.GRPC_KIND);

    /** Of any kind. */
    public AllowedRoutes(From from, Map<String, String> matchLabels) {
      this(from, matchLabels, ANY_KIND);
    }
  }

  public enum From {
    SAME,
    ALL,
    SELECTOR
  }
}
