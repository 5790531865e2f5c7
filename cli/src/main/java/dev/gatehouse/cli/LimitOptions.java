package dev.gatehouse.cli;

import dev.gatehouse.ratelimit.AnswerSettings;
import dev.gatehouse.ratelimit.HealthSettings;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.descriptor.OnUnavailable;
import dev.gatehouse.ratelimit.redis.RedisSettings;
import dev.gatehouse.ratelimit.stats.StatsSettings;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How limits count that do not say so themselves: those of BackendTrafficPolicy, YAML and xDS. */
final class LimitOptions {
  /** As policies write it. */
  enum AlgorithmName {
    FIXEDWINDOW(Algorithm.FIXED_WINDOW),
    SLIDINGWINDOW(Algorithm.SLIDING_WINDOW),
    TOKENBUCKET(Algorithm.TOKEN_BUCKET);

    private final Algorithm algorithm;

    AlgorithmName(Algorithm algorithm) {
      this.algorithm = algorithm;
    }
  }

  @Option(
      names = "--default-algorithm",
      paramLabel = "NAME",
      defaultValue = "FixedWindow",
      description = "FixedWindow, SlidingWindow or TokenBucket, for limits that do not say."
          + " Default: ${DEFAULT-VALUE}.")
  AlgorithmName algorithm = AlgorithmName.FIXEDWINDOW;

  @Option(
      names = "--all-or-nothing",
      description =
          "A request that one of its limits denies consumes none of them, as RateLimitPolicy"
              + " has it by itself; else it consumes all, as envoyproxy/ratelimit has it.")
  boolean allOrNothing;

  @Option(
      names = "--on-unavailable",
      paramLabel = "WHAT",
      defaultValue = "Error",
      description =
          "What becomes of a request while the counters cannot be reached: Error (UNAVAILABLE,"
              + " Envoy decides), Allow, Deny, or Local (this instance counts its share)."
              + " Default: ${DEFAULT-VALUE}.")
  OnUnavailable onUnavailable = OnUnavailable.ERROR;

  @Option(
      names = "--replicas",
      paramLabel = "N",
      defaultValue = "1",
      description = "How many instances share a limit while each counts by itself (Local)."
          + " Default: ${DEFAULT-VALUE}.")
  int replicas = 1;

  @Option(names = "--retry-after", description = "Add Retry-After to what is denied.")
  boolean retryAfter;

  @Option(
      names = "--memory-counters",
      paramLabel = "N",
      defaultValue = "500000",
      description =
          "The most counters in memory; about 200 bytes each. Beyond it the oldest go. Default: ${DEFAULT-VALUE}.")
  int memoryCounters = RateLimitSettings.MEMORY_COUNTERS;

  @Option(
      names = "--over-limit-cache",
      paramLabel = "BYTES",
      defaultValue = "0",
      description =
          "Memory for keys that are known to be over their limit until their window ends, which"
              + " need no round trip; 0 for none. Default: ${DEFAULT-VALUE}.")
  long overLimitCache;

  @Option(
      names = "--stat-keys",
      paramLabel = "N",
      defaultValue = "10000",
      description =
          "The most limits with statistics of their own, and as many keys made of what requests"
              + " hold; the rest is summed under \"other\". Default: ${DEFAULT-VALUE}.")
  int statKeys = StatsSettings.MAX_KEYS;

  /** What every limit has, with nothing of the reference's environment. */
  RateLimitSettings settings(@Nullable RedisSettings redis) {
    check();
    return new RateLimitSettings(
        redis,
        new Defaults(algorithm.algorithm, !allOrNothing, onUnavailable, false, false, retryAfter),
        AnswerSettings.REFERENCE,
        0.8,
        overLimitCache,
        replicas,
        memoryCounters,
        new StatsSettings(
            true,
            statKeys,
            StatsSettings.defaults().mapping(),
            StatsSettings.defaults().tags(),
            null),
        HealthSettings.ALWAYS);
  }

  private void check() {
    least("--replicas", replicas, 1);
    least("--memory-counters", memoryCounters, 1);
    least("--over-limit-cache", overLimitCache, 0);
    least("--stat-keys", statKeys, 1);
  }

  private static void least(String flag, long value, long least) {
    if (value < least) {
      throw new Failure(flag + "=" + value + " (expected: " + least + " or more)");
    }
  }
}
