package dev.gatehouse.ratelimit;

import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.redis.RedisSettings;
import dev.gatehouse.ratelimit.redis.RedisUrl;
import dev.gatehouse.ratelimit.stats.StatsSettings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How ratelimit behaves beside the policies.
 *
 * @param redis where the counters are; null counts in memory
 * @param limits of limits that do not say themselves how they count
 * @param answers what every answer has
 * @param nearLimitRatio from which part of a limit on a hit is near it, 0 to 1 ({@code NEAR_LIMIT_RATIO})
 * @param overLimitCacheBytes for keys that are known to be over their limit; 0 for none ({@code LOCAL_CACHE_SIZE_IN_BYTES})
 * @param replicas how many instances share a limit that each counts in its own memory ({@code OnUnavailable.LOCAL})
 * @param memoryCounters how many counters in memory at most
 * @param stats what is counted for dashboards
 * @param health when callers should go elsewhere
 */
public record RateLimitSettings(
    @Nullable RedisSettings redis,
    Defaults limits,
    AnswerSettings answers,
    double nearLimitRatio,
    long overLimitCacheBytes,
    int replicas,
    int memoryCounters,
    StatsSettings stats,
    HealthSettings health) {
  /** About 100 MB of counters at most. */
  public static final int MEMORY_COUNTERS = 500_000;

  public static RateLimitSettings defaults() {
    return of(null);
  }

  /**
   * As {@link #of(RedisSettings)}.
   *
   * @param redisUrl see {@link RedisUrl}; null counts in memory
   * @throws IllegalArgumentException if it is none
   */
  public static RateLimitSettings of(
      @Nullable String redisUrl, Duration timeout, String keyPrefix) {
    return of(redisUrl == null ? null : RedisUrl.parse(redisUrl).with(timeout, keyPrefix));
  }

  /** As envoyproxy/ratelimit but for where and how long. */
  public static RateLimitSettings of(@Nullable RedisSettings redis) {
    return new RateLimitSettings(
        redis,
        Defaults.REFERENCE,
        AnswerSettings.REFERENCE,
        0.8,
        0,
        1,
        MEMORY_COUNTERS,
        StatsSettings.defaults(),
        HealthSettings.ALWAYS);
  }

  /** With other counters. */
  public RateLimitSettings withRedis(@Nullable RedisSettings other) {
    return new RateLimitSettings(
        other,
        limits,
        answers,
        nearLimitRatio,
        overLimitCacheBytes,
        replicas,
        memoryCounters,
        stats,
        health);
  }
}
