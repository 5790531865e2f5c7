package dev.gatehouse.ratelimit.counter;

/**
 * What the last window counts for in a sliding one: its counter × the part of it that a window which ends now still covers, rounded up. In
 * whole numbers, so that every store comes to the same: the part is in 2⁻²⁰ (for a day steps of 82 ms), rounded up as well.
 */
public final class Sliding {
  /** All of the last window. */
  public static final long WHOLE = 1L << 20;

  /** What is counted of a window at most: twice what a limit can be, and {@code MAX_LAST * WHOLE} is 2⁵³, which Lua counts exactly. */
  public static final long MAX_LAST = 1L << 33;

  private Sliding() {}

  /**
   * The part of the last window that still counts.
   *
   * @param remaining how long the current window still lasts, in milliseconds
   * @param length of it
   * @return 1 to {@link #WHOLE}
   */
  public static long part(long remaining, long length) {
    return Math.ceilDiv(remaining * WHOLE, length);
  }

  /** @param last the last window's counter */
  static long of(long last, long part) {
    return Math.ceilDiv(Math.min(last, MAX_LAST) * part, WHOLE);
  }
}
