package dev.gatehouse.ratelimit;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How ratelimit behaves beside the policies.
 *
 * @param redisUrl {@code redis://…}, {@code rediss://…} or {@code host:port}; null counts in memory
 * @param timeout how long Redis may take before the answer is UNAVAILABLE; below the 20 ms that Envoy waits
 */
public record RateLimitSettings(@Nullable String redisUrl, Duration timeout, String keyPrefix) {
  public static RateLimitSettings defaults() {
    return new RateLimitSettings(null, Duration.ofMillis(10), "");
  }
}
