package dev.gatehouse.ratelimit.redis;

import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * Redis's clock as this process knows it: the local one and an offset, sampled with {@code TIME} about once a second. So replicas whose
 * clocks differ agree on when a window ends, and a hit need not ask.
 */
final class RedisClock {
  /** Two clocks are taken to drift apart by no more than this, in milliseconds a millisecond. */
  private static final double DRIFT = 0.001;

  private final InstantSource local;
  private volatile @Nullable Sample best;

  RedisClock(InstantSource local) {
    this.local = local;
  }

  /** Milliseconds since the epoch; the local clock's while Redis's is not known. */
  long now() {
    var sample = best;
    return local.millis() + (sample == null ? 0 : sample.offset);
  }

  /** Whether Redis has told its time at all. */
  boolean known() {
    return best != null;
  }

  /**
   * Takes a sample in, at the moment that the reply came.
   *
   * @param redisMillis what Redis answered
   * @param roundTripNanos between sending and now: the answer was made somewhere in it
   */
  void sampled(long redisMillis, long roundTripNanos) {
    long now = local.millis();
    double error = roundTripNanos / 2e6;
    var sample = new Sample(Math.round(redisMillis + error) - now, error, now);
    if (sample.betterThan(best)) {
      best = sample;
    }
  }

  /** @param error how far the offset may be wrong, in milliseconds */
  private record Sample(long offset, double error, long at) {
    /** Than one that has aged, or one that cannot be true any more, since somebody has set a clock. */
    boolean betterThan(@Nullable Sample other) {
      if (other == null || at < other.at) {
        return true;
      }
      double aged = other.error + DRIFT * (at - other.at);
      return error <= aged || Math.abs(offset - other.offset) > error + aged + 1;
    }
  }
}
