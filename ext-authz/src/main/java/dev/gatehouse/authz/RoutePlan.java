package dev.gatehouse.authz;

import dev.gatehouse.policy.attach.RouteKey;

/** What holds for a request. */
sealed interface RoutePlan {
  /** No policy: known to be open, or unmatched where the settings let that pass. */
  record Open(Grant grant) implements RoutePlan {}

  record Guarded(RouteKey route, Guard guard) implements RoutePlan {}

  /** @param policy the one that cannot be honoured, as {@code namespace/name} */
  record Refused(String policy) implements RoutePlan {}

  /** @param why nothing is known to hold, for the log */
  record Nowhere(String why) implements RoutePlan {}
}
