package dev.gatehouse.ratelimit;

import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Limit;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the counts mean for the request: a pure function of them.
 *
 * @param over whether the request is to be denied
 * @param statuses one a descriptor, in order
 * @param deciding the status that a person wants to see: one that denied, else one that would have (shadow), else the one with the least
 *     left; null where nothing is limited
 */
record Verdict(
    boolean over, List<Status> statuses, @Nullable Status deciding) {
  /**
   * Of one descriptor.
   *
   * @param limit null where nothing limits it; then the rest is 0
   * @param exceeded whether the count is over the limit; with {@link Limit#shadow()} it is OK nevertheless
   * @param remaining until the limit, 0 to 4,294,967,295
   * @param resetSeconds until the window ends, rounded up: 1 or more
   */
  record Status(@Nullable Limit limit, boolean exceeded, long remaining, long resetSeconds) {
    static final Status UNLIMITED = new Status(null, false, 0, 0);

    boolean denies() {
      return exceeded && limit != null && !limit.shadow();
    }

    private boolean matters(@Nullable Status than) {
      if (than == null || denies() != than.denies()) {
        return than == null || denies();
      }
      return exceeded != than.exceeded ? exceeded : remaining < than.remaining;
    }
  }

  /**
   * @param counts of each hit, with the hit in it
   * @param now the time that they were counted at, on the store's clock
   */
  static Verdict judge(int descriptors, List<Hit> hits, long[] counts, long now) {
    var statuses = new Status[descriptors];
    Arrays.fill(statuses, Status.UNLIMITED);
    Status deciding = null;
    for (int i = 0; i < counts.length; i++) {
      var hit = hits.get(i);
      var status = status(hit.limit(), counts[i], now);
      statuses[hit.descriptor()] = status;
      if (status.matters(deciding)) {
        deciding = status;
      }
    }
    return new Verdict(deciding != null && deciding.denies(), Arrays.asList(statuses), deciding);
  }

  private static Status status(Limit limit, long count, long now) {
    long left = limit.requests() - count;
    long resetSeconds = Math.ceilDiv(limit.unit().remaining(now), 1000L);
    return new Status(limit, left < 0, Math.max(left, 0), resetSeconds);
  }
}
