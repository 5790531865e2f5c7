package dev.gatehouse.ratelimit.config.xds;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait before the control plane is connected to again. While it cannot be reached the wait stays the same; of a server
 * that takes streams and ends them the waits double, until one stream holds for longer than the longest wait. Not thread-safe.
 */
final class Pauses {
  private static final double CONNECT_JITTER = 0.5;

  private final Duration connectRetry;
  private final XdsSettings.Retry retry;
  private final RandomGenerator random;
  private int ended;

  Pauses(Duration connectRetry, XdsSettings.Retry retry, RandomGenerator random) {
    this.connectRetry = connectRetry;
    this.retry = retry;
    this.random = random;
  }

  Duration unreachable() {
    return spread(connectRetry, CONNECT_JITTER);
  }

  /** @param lived how long the stream was there */
  Duration afterStream(Duration lived) {
    ended = lived.compareTo(retry.max()) > 0 ? 0 : ended;
    var wait = retry.initial();
    for (int i = 0; i < ended && wait.compareTo(retry.max()) < 0; i++) {
      wait = wait.multipliedBy(2);
    }
    ended++;
    var bounded = wait.compareTo(retry.max()) > 0 ? retry.max() : wait;
    return retry.jitter() ? spread(bounded, retry.randomFactor()) : bounded;
  }

  private Duration spread(Duration wait, double factor) {
    double share = 1 - factor + 2 * factor * random.nextDouble();
    return Duration.ofNanos((long) (wait.toNanos() * share));
  }
}
