package dev.gatehouse.ratelimit.descriptor;

import org.jspecify.annotations.Nullable;

/**
 * A token bucket in whole numbers, so that nothing is lost to rounding: a token is {@code cost} units, and {@code rate} units come back each
 * millisecond; both are the window and the requests in it, reduced. What is stored is the level, the units that are taken.
 *
 * @param rate units a millisecond, 1 or more; 0 if the limit is of no requests
 * @param cost units a token
 * @param capacity units, burst × cost; at most 2⁵², so that Redis's Lua, whose numbers are doubles, adds two levels exactly
 */
public record Bucket(long rate, long cost, long capacity) {
  /** Of a limit that has none. */
  static final Bucket NONE = new Bucket(0, 1, 0);

  public static final long MAX_UNITS = 1L << 52;

  /** @return null if the burst is too large for so long a window */
  static @Nullable Bucket of(long requests, long windowMillis, long burst) {
    if (requests == 0) {
      return NONE;
    }
    long divisor = gcd(requests, windowMillis);
    long cost = windowMillis / divisor;
    if (burst > MAX_UNITS / cost) {
      return null;
    }
    return new Bucket(requests / divisor, cost, burst * cost);
  }

  static long largestBurst(long requests, long windowMillis) {
    return requests == 0 ? 1 : MAX_UNITS / (windowMillis / gcd(requests, windowMillis));
  }

  /** What is left of a level after some time. */
  public long drained(long level, long millis) {
    if (millis <= 0 || rate == 0) {
      return level;
    }
    return millis > level / rate ? 0 : level - millis * rate;
  }

  /**
   * A level that was counted in tokens of another cost, before the limit was changed: as many tokens, rounded up. In doubles, as Redis
   * does it.
   */
  public long converted(long level, long itsCost) {
    if (itsCost == cost) {
      return level;
    }
    return (long) Math.min(Math.ceil((double) level * cost / itsCost), MAX_UNITS);
  }

  /** How many whole tokens a level leaves. */
  public long tokens(long level) {
    return Math.max(0, capacity - level) / cost;
  }

  /** How long a level takes to fall by some units, in milliseconds, rounded up; for ever where nothing comes back. */
  public long millisFor(long units) {
    return units <= 0 ? 0 : rate == 0 ? Long.MAX_VALUE : Math.ceilDiv(units, rate);
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
