package dev.gatehouse.policy.source;

import java.util.Set;

/** What asks the services, and what of the policies it enforces itself. */
public enum Front {
  /** An Envoy that {@code gatehouse wire envoy} configures: it enforces nothing. */
  ENVOY,
  /** Envoy Gateway puts into Envoy by itself what its own kinds say, and reports whatever is wrong with them. */
  ENVOY_GATEWAY;

  /** The kinds that Gatehouse has nothing to do with there. */
  Set<String> enforces() {
    return switch (this) {
      case ENVOY -> Set.of();
      case ENVOY_GATEWAY -> Set.of("SecurityPolicy", "BackendTrafficPolicy");
    };
  }
}
