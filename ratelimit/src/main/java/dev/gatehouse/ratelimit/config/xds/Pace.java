package dev.gatehouse.ratelimit.config.xds;

/**
 * How soon a response is answered and the next one asked for: some at once, then one a second. A control plane that answers every
 * acknowledgement anew, or sends what was refused again and again, keeps neither itself nor us busy. Not thread-safe.
 */
final class Pace {
  private static final int AT_ONCE = 5;
  private static final long INTERVAL_NANOS = 1_000_000_000L;

  private boolean began;
  private long emptyAt;

  /**
   * How many nanoseconds this one waits.
   *
   * @param now of {@link System#nanoTime}
   */
  long next(long now) {
    if (!began || now - emptyAt > 0) {
      began = true;
      emptyAt = now;
    }
    emptyAt += INTERVAL_NANOS;
    return Math.max(0, emptyAt - now - AT_ONCE * INTERVAL_NANOS);
  }
}
