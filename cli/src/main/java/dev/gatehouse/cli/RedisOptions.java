package dev.gatehouse.cli;

import dev.gatehouse.ratelimit.RateLimitSettings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the limits' counters are. */
final class RedisOptions {
  @Option(
      names = "--redis-url",
      paramLabel = "URL",
      description =
          "redis://HOST:PORT, rediss://…, redis-socket:///PATH or HOST:PORT; without it the counters"
              + " are in memory. REDIS_URL is read too.")
  @Nullable
  String url;

  @Option(
      names = "--redis-timeout",
      paramLabel = "TIME",
      defaultValue = "10ms",
      converter = Time.class,
      description =
          "How long Redis may take before the answer is UNAVAILABLE; below what Envoy waits."
              + " Default: ${DEFAULT-VALUE}.")
  Duration timeout = Duration.ofMillis(10);

  @Option(
      names = "--redis-key-prefix",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Before every key, when several installations share a Redis.")
  String prefix = "";

  RateLimitSettings settings() {
    return RateLimitSettings.of(url, timeout, prefix);
  }
}
