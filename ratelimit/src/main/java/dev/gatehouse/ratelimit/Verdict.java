package dev.gatehouse.ratelimit;

import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
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
  /** What {@code unlimited: true} leaves: the most that {@code limit_remaining} can say, as envoyproxy/ratelimit. */
  static final long UNLIMITED_REMAINING = 0xffff_ffffL;

  /**
   * Of one descriptor.
   *
   * @param limit null where nothing limits it; then only {@code remaining} has a meaning
   * @param exceeded whether the count is over the limit; with {@link Limit#shadow()} it is OK nevertheless
   * @param remaining until the limit, 0 to 4,294,967,295
   * @param resetSeconds until the window ends, or a token bucket is full again; of a bucket that is over, until this request would pass.
   *     Rounded up: 1 or more, but 0 for a bucket that is full
   */
  record Status(@Nullable Limit limit, boolean exceeded, long remaining, long resetSeconds) {
    static final Status NOT_LIMITED = new Status(null, false, 0, 0);
    static final Status UNLIMITED = new Status(null, false, UNLIMITED_REMAINING, 0);

    /** Whether its code is OVER_LIMIT. */
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

  /** @param now the time that they were counted at, on the store's clock */
  static Verdict judge(Plan.Count plan, Counts counts, long now) {
    var statuses = new Status[plan.descriptors()];
    Arrays.fill(statuses, Status.NOT_LIMITED);
    for (var descriptor : plan.unlimited()) {
      statuses[descriptor] = Status.UNLIMITED;
    }
    Status deciding = null;
    for (int i = 0; i < counts.size(); i++) {
      var hit = plan.hits().get(i);
      var status = status(hit, counts.used(i), counts.denied(), now);
      statuses[hit.descriptor()] = status;
      if (status.matters(deciding)) {
        deciding = status;
      }
    }
    return new Verdict(counts.denied(), Arrays.asList(statuses), deciding);
  }

  /** The same, and the request passes ({@code SHADOW_MODE}, {@code QUOTA_MODE}). */
  Verdict inShadow() {
    return new Verdict(false, statuses, deciding);
  }

  private static Status status(Hit hit, long used, boolean denied, long now) {
    var limit = hit.limit();
    boolean spilled = limit.algorithm() == Algorithm.TOKEN_BUCKET && used > limit.capacity();
    boolean taken = hit.addend() < 0 || (!spilled && (!denied || limit.terms().countsDenied()));
    long left =
        Counts.remaining(limit, taken ? used : Math.max(0, used - limit.units(hit.addend())));
    return new Status(limit, used > limit.capacity(), left, resetSeconds(limit, used, now));
  }

  private static long resetSeconds(Limit limit, long used, long now) {
    if (limit.algorithm() != Algorithm.TOKEN_BUCKET) {
      return Math.ceilDiv(limit.window().remaining(now), 1000L);
    }
    long over = used - limit.capacity();
    long millis = limit.bucket().millisFor(over > 0 ? over : used);
    return Math.min(
        Math.ceilDiv(millis, 1000L),
        limit.window().millis() / 1000 * limit.terms().burst());
  }
}
