package dev.gatehouse.ratelimit;

import dev.gatehouse.ratelimit.descriptor.Defaults;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How ratelimit behaves beside the policies.
 *
 * @param redisUrl {@code redis://…}, {@code rediss://…} or {@code host:port}; null counts in memory
 * @param timeout how long Redis may take before the answer is UNAVAILABLE; below the 20 ms that Envoy waits
 * @param limits of limits that do not say themselves how they count
 * @param answers what every answer has
 * @param nearLimitRatio from which part of a limit on a hit is near it, 0 to 1 ({@code NEAR_LIMIT_RATIO})
 * @param overLimitCacheBytes for keys that are known to be over their limit; 0 for none ({@code LOCAL_CACHE_SIZE_IN_BYTES})
 * @param replicas how many instances share a limit that each counts in its own memory ({@code OnUnavailable.LOCAL})
 * @param memoryCounters how many counters in memory at most
 */
public record RateLimitSettings(
    @Nullable String redisUrl,
    Duration timeout,
    String keyPrefix,
    Defaults limits,
    AnswerSettings answers,
    double nearLimitRatio,
    long overLimitCacheBytes,
    int replicas,
    int memoryCounters) {
  /** About 75 MB of counters at most. */
  public static final int MEMORY_COUNTERS = 500_000;

  public static RateLimitSettings defaults() {
    return of(null, Duration.ofMillis(10), "");
  }

  /** As envoyproxy/ratelimit but for where and how long. */
  public static RateLimitSettings of(
      @Nullable String redisUrl, Duration timeout, String keyPrefix) {
    return new RateLimitSettings(
        redisUrl,
        timeout,
        keyPrefix,
        Defaults.REFERENCE,
        AnswerSettings.REFERENCE,
        0.8,
        0,
        1,
        MEMORY_COUNTERS);
  }
}
