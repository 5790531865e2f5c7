package dev.gatehouse.ratelimit.stats;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is counted for dashboards, and where it goes.
 *
 * @param enabled false counts nothing ({@code DISABLE_STATS})
 * @param maxKeys of each kind of key, see {@link Stats}
 * @param mapping which series of Prometheus a statistic is
 * @param tags labels of every series ({@code EXTRA_TAGS})
 * @param statsd null sends nothing
 */
public record StatsSettings(
    boolean enabled,
    int maxKeys,
    Mapping mapping,
    Map<String, String> tags,
    @Nullable StatsdSettings statsd) {
  public static final int MAX_KEYS = 10_000;

  /** For Prometheus alone. */
  public static StatsSettings defaults() {
    return new StatsSettings(true, MAX_KEYS, Mapping.standard(), Map.of(), null);
  }
}
