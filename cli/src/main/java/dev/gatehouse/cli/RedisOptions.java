package dev.gatehouse.cli;

import dev.gatehouse.cli.reference.ReferenceEnvironment;
import dev.gatehouse.cli.reference.ReferenceRedis;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.ratelimit.redis.RedisSettings;
import dev.gatehouse.ratelimit.redis.RedisUrl;
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
              + " redis-cluster://HOST:PORT,…, rediss…:// in TLS, or HOST:PORT; without it REDIS_URL and the"
              + " variables beside it, as envoyproxy/ratelimit has them; without that the counters are in"
              + " memory.")
  @Nullable
  String url;

  @Option(
      names = "--redis-timeout",
      paramLabel = "TIME",
      defaultValue = "10ms",
      converter = Time.class,
      description =
          "How long Redis may take before each limit says what becomes of the request; below what"
              + " Envoy waits. Default: ${DEFAULT-VALUE}.")
  Duration timeout = Duration.ofMillis(10);

  @Option(
      names = "--redis-key-prefix",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Before every key, when several installations share a Redis.")
  String prefix = "";

  /**
   * @return null if the counters are in memory
   * @throws Failure if the URL is none
   */
  @Nullable
  RedisSettings redis(Map<String, String> env) {
    try {
      var redis =
          url == null ? ReferenceRedis.settings(ReferenceEnvironment.of(env)) : RedisUrl.parse(url);
      return redis == null ? null : redis.with(timeout, prefix);
    } catch (IllegalArgumentException e) {
      throw new Failure(String.valueOf(e.getMessage()), e);
    }
  }

  RateLimitSettings settings(Map<String, String> env) {
    return RateLimitSettings.of(redis(env));
  }
}
