package dev.gatehouse.ratelimit.config;

import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Unit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A descriptor's {@code rate_limit}.
 *
 * @param unit null where none is said, or xDS says UNKNOWN
 * @param unitMultiplier how many units make the window; 1 where nothing is said. Ours, beside the reference's fields
 * @param replaces names of limits that do not hold where this one does
 * @param algorithm ours; null takes the service's default
 * @param burst of a token bucket; ours; null takes as many as a window allows
 */
public record LimitConfig(
    long requestsPerUnit,
    @Nullable Unit unit,
    int unitMultiplier,
    boolean unlimited,
    String name,
    List<String> replaces,
    @Nullable Algorithm algorithm,
    @Nullable Long burst,
    Origin origin) {
  public LimitConfig {
    replaces = List.copyOf(replaces);
  }
}
