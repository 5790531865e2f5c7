package dev.gatehouse.ratelimit.counter;

import dev.gatehouse.ratelimit.descriptor.Limit;

/**
 * What one descriptor of a request counts.
 *
 * @param descriptor its place in the request
 * @param subject which of the limit's counters: the values that count by themselves; empty when all share one
 * @param addend how much, at most ±{@link #MAX_ADDEND}: 0 only looks, and less gives back, but never below nothing
 * @param metric the limit's name in the statistics
 */
public record Hit(int descriptor, Limit limit, String subject, long addend, String metric) {
  /** More hits at once make no difference to any limit. */
  public static final long MAX_ADDEND = 0xffff_ffffL;

  public Hit(int descriptor, Limit limit, String subject, long addend) {
    this(descriptor, limit, subject, addend, limit.metric());
  }

  /** The same that counts nothing. */
  public Hit look() {
    return new Hit(descriptor, limit, subject, 0, metric);
  }
}
