package dev.gatehouse.cli;

import dev.gatehouse.cli.reference.ReferenceEnvironment;
import dev.gatehouse.cli.reference.ReferenceRedis;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.ratelimit.redis.RedisSettings;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the limits' counters are. */
final class RedisOptions {
  @Option(
      names = "--redis-url",
      paramLabel = "URL",
      description =
          "redis://[USER:PASSWORD@]HOST:PORT, redis-socket:///PATH, redis-sentinel://HOST:PORT,…#MASTER,"
              + " redis-cluster://HOST:PORT,…, rediss…:// in TLS, or HOST:PORT; without it REDIS_URL as"
              + " envoyproxy/ratelimit has it; without that the counters are in memory. Beside both"
              + " REDIS_AUTH, REDIS_SENTINEL_AUTH and REDIS_TLS_… hold.")
  @Nullable
  String url;

  @Option(
      names = "--redis-timeout",
      paramLabel = "TIME",
      defaultValue = "10ms",
      converter = Time.class,
      description =
          "How long Redis may take before each limit says what becomes of the request; below what"
              + " Envoy waits, and 1ms at least. Default: ${DEFAULT-VALUE}.")
  Duration timeout = Duration.ofMillis(10);

  @Option(
      names = "--redis-key-prefix",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Before every key, when several installations share a Redis.")
  String prefix = "";

  /**
   * @return null if the counters are in memory
   * @throws Failure if the URL is none, or what stands beside it is not as expected
   */
  @Nullable
  RedisSettings redis(Map<String, String> env) {
    if (timeout.toMillis() < 1) {
      throw new Failure("--redis-timeout=" + timeout.toNanos() + "ns (expected: 1ms or more)");
    }
    try {
      var beside = ReferenceEnvironment.of(env);
      var redis = url == null ? ReferenceRedis.settings(beside) : ReferenceRedis.of(url, beside);
      return redis == null ? null : redis.with(timeout, prefix);
    } catch (IllegalArgumentException e) {
      throw new Failure(String.valueOf(e.getMessage()), e);
    }
  }

  RateLimitSettings settings(Map<String, String> env) {
    return RateLimitSettings.of(redis(env));
  }
}
