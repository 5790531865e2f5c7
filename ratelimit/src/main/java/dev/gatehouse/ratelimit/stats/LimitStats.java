package dev.gatehouse.ratelimit.stats;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * The six counters of one statistics key ({@code domain.key_value.key}), with the meaning that envoyproxy/ratelimit gives them: they count
 * hits, not requests, and a request whose hits cross a threshold is divided at it. Thread-safe.
 */
public final class LimitStats {
  /** In the order in which they are shown. */
  enum Stat {
    TOTAL_HITS("total_hits"),
    OVER_LIMIT("over_limit"),
    NEAR_LIMIT("near_limit"),
    OVER_LIMIT_WITH_LOCAL_CACHE("over_limit_with_local_cache"),
    WITHIN_LIMIT("within_limit"),
    SHADOW_MODE("shadow_mode");

    static final Stat[] ALL = values();

    private final String text;

    Stat(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  private final String key;
  private final float nearRatio;
  private final Map<Stat, StatCounter> counters = new EnumMap<>(Stat.class);

  /** Of the flushing thread alone: the hits at its last look, and for how many looks they have not changed. */
  private long hitsSeen;

  private int idleLooks;

  /**
   * @param key without the characters that statsd cannot have
   * @param nearRatio the part of a limit above which a hit is near it
   */
  LimitStats(String key, float nearRatio) {
    this.key = key;
    this.nearRatio = nearRatio;
    for (var stat : Stat.ALL) {
      counters.put(stat, new StatCounter());
    }
  }

  /**
   * A hit that the store counted.
   *
   * @param after the counter with the hit in it
   * @param addend how much of that is the hit
   * @param limit how much is allowed
   * @param shadow the limit never denies
   */
  public void counted(long after, long addend, long limit, boolean shadow) {
    add(Stat.TOTAL_HITS, addend);
    long before = after - addend;
    long near = near(limit);
    if (after <= limit) {
      add(Stat.WITHIN_LIMIT, addend);
      if (after > near) {
        add(Stat.NEAR_LIMIT, Math.min(addend, after - near));
      }
      return;
    }
    long over = before >= limit ? addend : after - limit;
    add(Stat.OVER_LIMIT, over);
    if (before < limit) {
      add(Stat.NEAR_LIMIT, limit - Math.max(near, before));
    }
    if (shadow) {
      add(Stat.SHADOW_MODE, over);
    }
  }

  /** A hit that was over its limit as a whole: one of an algorithm whose denied requests consume nothing. */
  public void over(long addend, boolean shadow) {
    add(Stat.TOTAL_HITS, addend);
    add(Stat.OVER_LIMIT, addend);
    if (shadow) {
      add(Stat.SHADOW_MODE, addend);
    }
  }

  /** A hit that was over its limit by what this instance remembers; the store was not asked. */
  public void overWithLocalCache(long addend, boolean shadow) {
    over(addend, shadow);
    add(Stat.OVER_LIMIT_WITH_LOCAL_CACHE, addend);
  }

  /** A hit that nobody counted: the store could not. The reference has counted it before it asks. */
  public void notCounted(long addend) {
    add(Stat.TOTAL_HITS, addend);
  }

  /** In single precision, as the reference does it: a threshold that is another by one is another graph. */
  private long near(long limit) {
    return (long) Math.floor((float) limit * nearRatio);
  }

  private void add(Stat stat, long more) {
    counter(stat).add(more);
  }

  String key() {
    return key;
  }

  StatCounter counter(Stat stat) {
    return Objects.requireNonNull(counters.get(stat));
  }

  /** The name as statsd has it, without tags. */
  String name(Stat stat) {
    return Stats.LIMITS + key + '.' + stat.text();
  }

  /** What Prometheus calls it, found when it is first asked for; only the threads that write pages ask, and any of them finds the same. */
  Series series(Stat stat, Mapping mapping) {
    var counter = counter(stat);
    var known = counter.series;
    if (known != null) {
      return known;
    }
    var found = mapping.counter(name(stat));
    var one = counter(Stat.TOTAL_HITS).series;
    // All six usually have the same labels: the text is kept once.
    var kept = one != null && one.labels().equals(found.labels())
        ? new Series(found.metric(), one.labels())
        : found;
    counter.series = kept;
    return kept;
  }

  /** Looks whether it was hit since the last look. Of the flushing thread alone. */
  boolean idleFor(int looks) {
    long hits = counter(Stat.TOTAL_HITS).value();
    idleLooks = hits == hitsSeen ? idleLooks + 1 : 0;
    hitsSeen = hits;
    return idleLooks >= looks;
  }
}
