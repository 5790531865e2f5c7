package dev.gatehouse.ratelimit;

/**
 * When callers should go elsewhere although the service runs.
 *
 * @param withoutStore while the counters cannot be reached ({@code REDIS_HEALTH_CHECK_ACTIVE_CONNECTION})
 * @param withoutDomains while no configuration has a domain ({@code HEALTHY_WITH_AT_LEAST_ONE_CONFIG_LOADED})
 */
public record HealthSettings(boolean withoutStore, boolean withoutDomains) {
  /** Never. */
  public static final HealthSettings ALWAYS = new HealthSettings(false, false);
}
