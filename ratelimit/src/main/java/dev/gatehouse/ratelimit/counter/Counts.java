package dev.gatehouse.ratelimit.counter;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a store says of the hits of a request. */
public final class Counts {
  /** Of no hits. */
  public static final Counts NONE = new Counts(new long[0], false);

  private final long[] used;
  private final boolean denied;
  private final boolean @Nullable [] cached;

  public Counts(long[] used, boolean denied) {
    this(used, denied, null);
  }

  Counts(long[] used, boolean denied, boolean @Nullable [] cached) {
    this.used = used;
    this.denied = denied;
    this.cached = cached;
  }

  /** @param used see {@link #used}; not to be changed any more */
  public static Counts of(List<Hit> hits, long[] used) {
    return new Counts(used, denies(hits, used));
  }

  /** Of how many hits. */
  public int size() {
    return used.length;
  }

  /**
   * How much of the limit is used up with the hit in it, whether or not the hit was counted. In a fixed window the counter; in a sliding
   * one the weighted sum of both, rounded up; of a token bucket its level in units. More than {@link Limit#capacity()} is over the limit.
   *
   * @param hit its place in the list of hits
   */
  public long used(int hit) {
    return used[hit];
  }

  /** Whether the hits together are over: those of limits that do not count denied requests were not counted then. */
  public boolean denied() {
    return denied;
  }

  /** Whether the hit was known to be over without asking the store ({@link OverLimitCache}), and was not counted. */
  public boolean cached(int hit) {
    return cached != null && cached[hit];
  }

  /**
   * Whether a request is to be denied: one of its limits is over, or all of its quotas are ({@code quota_mode}). A shadow limit never
   * denies, and neither does what gives back.
   */
  public static boolean denies(List<Hit> hits, long[] used) {
    int quotas = 0;
    int quotasOver = 0;
    for (int i = 0; i < used.length; i++) {
      var hit = hits.get(i);
      var terms = hit.limit().terms();
      boolean over = over(hit, used[i]);
      if (terms.quota()) {
        quotas++;
        quotasOver += over ? 1 : 0;
      } else if (over) {
        return true;
      }
    }
    return quotas > 0 && quotas == quotasOver;
  }

  private static boolean over(Hit hit, long used) {
    return used > hit.limit().capacity() && hit.addend() >= 0 && !hit.limit().shadow();
  }

  /** How many more would be within the limit, given what was used. */
  public static long remaining(Limit limit, long used) {
    return limit.algorithm() == Algorithm.TOKEN_BUCKET
        ? limit.bucket().tokens(used)
        : Math.max(0, limit.requests() - used);
  }
}
