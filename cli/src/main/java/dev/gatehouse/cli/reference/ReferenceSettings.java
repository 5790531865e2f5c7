package dev.gatehouse.cli.reference;

import dev.gatehouse.ratelimit.AnswerSettings;
import dev.gatehouse.ratelimit.HealthSettings;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.stats.MapperFile;
import dev.gatehouse.ratelimit.stats.Mapping;
import dev.gatehouse.ratelimit.stats.StatsSettings;
import dev.gatehouse.ratelimit.stats.StatsdSettings;
import dev.gatehouse.ratelimit.stats.StatsdSettings.Protocol;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What the reference's variables say of limits, answers, health and statistics. */
public final class ReferenceSettings {
  private ReferenceSettings() {}

  /**
   * @param ours what our own options say
   * @param told gets what is not honoured of a mapper file, a sentence each
   */
  public static RateLimitSettings with(
      ReferenceEnvironment env, RateLimitSettings ours, Consumer<String> told) {
    return new RateLimitSettings(
        ours.redis(),
        defaults(env, ours.limits()),
        answers(env),
        env.fraction(Variable.NEAR_LIMIT_RATIO),
        ours.overLimitCacheBytes(),
        ours.replicas(),
        ours.memoryCounters(),
        stats(env, ours.stats(), told),
        new HealthSettings(
            env.flag(Variable.REDIS_HEALTH_CHECK_ACTIVE_CONNECTION),
            env.flag(Variable.HEALTHY_WITH_AT_LEAST_ONE_CONFIG_LOADED)));
  }

  private static Defaults defaults(ReferenceEnvironment env, Defaults ours) {
    return new Defaults(
        ours.algorithm(),
        ours.countsDenied(),
        ours.onUnavailable(),
        env.flag(Variable.QUOTA_MODE),
        env.flag(Variable.USE_CALENDAR_MONTH_RATE_LIMIT),
        ours.retryAfter());
  }

  private static AnswerSettings answers(ReferenceEnvironment env) {
    var headers = env.flag(Variable.LIMIT_RESPONSE_HEADERS_ENABLED)
        ? new AnswerSettings.Headers(
            env.textOrUsual(Variable.LIMIT_LIMIT_HEADER),
            env.textOrUsual(Variable.LIMIT_REMAINING_HEADER),
            env.textOrUsual(Variable.LIMIT_RESET_HEADER))
        : null;
    return new AnswerSettings(
        headers,
        env.flag(Variable.RESPONSE_DYNAMIC_METADATA),
        env.flag(Variable.SHADOW_MODE),
        env.flag(Variable.QUOTA_MODE));
  }

  private static StatsSettings stats(
      ReferenceEnvironment env, StatsSettings ours, Consumer<String> told) {
    return new StatsSettings(
        !env.flag(Variable.DISABLE_STATS),
        ours.maxKeys(),
        mapping(env, told),
        env.pairs(Variable.EXTRA_TAGS),
        statsd(env));
  }

  private static Mapping mapping(ReferenceEnvironment env, Consumer<String> told) {
    var file = env.text(Variable.PROMETHEUS_MAPPER_YAML);
    if (file.isEmpty()) {
      return env.flag(Variable.PROMETHEUS_RESPONSE_TIME_AS_MILLISECONDS)
          ? Mapping.standardInMilliseconds()
          : Mapping.standard();
    }
    var loaded = MapperFile.read(Path.of(file.get()));
    loaded.problems().forEach(problem -> told.accept("PROMETHEUS_MAPPER_YAML: " + problem));
    return loaded.mapping();
  }

  private static @Nullable StatsdSettings statsd(ReferenceEnvironment env) {
    if (!env.flag(Variable.USE_STATSD)) {
      return null;
    }
    return new StatsdSettings(
        Protocol.valueOf(env.textOrUsual(Variable.STATSD_PROTOCOL).toUpperCase(Locale.ROOT)),
        env.textOrUsual(Variable.STATSD_HOST),
        (int) env.number(Variable.STATSD_PORT),
        env.duration(Variable.STATS_FLUSH_INTERVAL),
        env.pairs(Variable.EXTRA_TAGS));
  }
}
