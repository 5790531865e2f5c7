package dev.gatehouse.ratelimit.descriptor;

/** What becomes of a request that a limit holds for while the counter store cannot count. */
public enum OnUnavailable {
  /** UNAVAILABLE to Envoy, whose {@code failure_mode_deny} decides; as envoyproxy/ratelimit. */
  ERROR,

  /** As if it were within the limit. */
  ALLOW,

  /** As if it were over the limit. */
  DENY,

  /** This process counts in its own memory, up to its share of the limit. */
  LOCAL
}
