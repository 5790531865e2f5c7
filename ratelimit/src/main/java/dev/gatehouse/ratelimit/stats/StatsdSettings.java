package dev.gatehouse.ratelimit.stats;

import java.time.Duration;
import java.util.Map;

/**
 * Where statistics are sent.
 *
 * @param protocol the reference's default is TCP
 * @param every how often, {@code STATS_FLUSH_INTERVAL}
 * @param tags put behind every name, {@code EXTRA_TAGS}
 */
public record StatsdSettings(
    Protocol protocol, String host, int port, Duration every, Map<String, String> tags) {
  public enum Protocol {
    TCP,
    UDP
  }
}
