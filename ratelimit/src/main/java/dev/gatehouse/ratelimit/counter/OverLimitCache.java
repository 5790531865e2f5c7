package dev.gatehouse.ratelimit.counter;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Counters that are known to be over their limit, in front of a store: until they can have room again, a hit on them is over without a round
 * trip, and is not counted.
 *
 * <p>What is known is a lower bound: within a window a counter only grows, and a token bucket drains at a known rate. It is wrong only where
 * another replica gives hits back, which this one does not see before the window ends. Sliding windows are not kept, nor, in a cluster, limits
 * that do not count denied requests, since a counter holds those for a moment there.
 */
public final class OverLimitCache implements CounterStore {
  /** What an entry takes beside its subject's characters, about. */
  private static final int ENTRY_BYTES = 160;

  private final CounterStore store;
  private final Cache<Key, Known> known;

  /** @param maxBytes of heap, about */
  public OverLimitCache(CounterStore store, long maxBytes) {
    this.store = store;
    this.known = Caffeine.newBuilder()
        .maximumWeight(maxBytes)
        .weigher((Key key, Known value) -> ENTRY_BYTES + key.subject.length())
        .executor(Runnable::run)
        .build();
  }

  @Override
  public void apply(List<Hit> hits, long now, Outcome outcome) {
    var over = over(hits, now);
    if (over == null) {
      store.apply(hits, now, new Remembering(hits, now, outcome));
      return;
    }
    var rest = new ArrayList<Hit>(hits.size());
    boolean denied = over.denies(hits);
    for (int i = 0; i < hits.size(); i++) {
      var hit = hits.get(i);
      if (!over.has(i)) {
        rest.add(
            denied && !hit.limit().terms().countsDenied() && hit.addend() > 0 ? hit.look() : hit);
      }
    }
    if (rest.isEmpty()) {
      outcome.counted(over.counts(hits, Counts.NONE, rest));
      return;
    }
    store.apply(rest, now, new Outcome() {
      @Override
      public void counted(Counts counts) {
        forgetGivenBack(rest);
        outcome.counted(over.counts(hits, counts, rest));
      }

      @Override
      public void unavailable(Reason reason) {
        outcome.unavailable(reason);
      }
    });
  }

  /** Null if none of the hits is known to be over, and where a quota needs to be told of the others' counts. */
  private @Nullable Over over(List<Hit> hits, long now) {
    Over over = null;
    for (int i = 0; i < hits.size(); i++) {
      var hit = hits.get(i);
      if (hit.addend() <= 0 || hit.limit().algorithm() == Algorithm.SLIDING_WINDOW) {
        continue;
      }
      var entry = known.getIfPresent(Key.of(hit));
      if (entry == null) {
        continue;
      }
      long used = entry.atLeast(hit.limit(), now) + hit.limit().units(hit.addend());
      if (used > hit.limit().capacity()) {
        over = over == null ? new Over(hits.size()) : over;
        over.add(i, used, hit);
      }
    }
    return over != null && over.quotas && over.number < hits.size() ? null : over;
  }

  /** Behind the store's answer, for one that was still under way may have been remembered meanwhile. */
  private void forgetGivenBack(List<Hit> hits) {
    for (int i = 0; i < hits.size(); i++) {
      if (hits.get(i).addend() < 0) {
        known.invalidate(Key.of(hits.get(i)));
      }
    }
  }

  private void remember(List<Hit> hits, int i, Counts counts, long now) {
    var hit = hits.get(i);
    var limit = hit.limit();
    long used = counts.used(i);
    if (used <= limit.capacity()
        || hit.addend() <= 0
        || limit.algorithm() == Algorithm.SLIDING_WINDOW
        || (!limit.terms().countsDenied() && (store.givesBack() || isTwice(hits, i)))) {
      return;
    }
    boolean counted = !counts.denied() || limit.terms().countsDenied();
    boolean inBucket = limit.algorithm() == Algorithm.TOKEN_BUCKET;
    long stays = counted && !inBucket ? used : used - limit.units(hit.addend());
    long until = inBucket ? Long.MAX_VALUE : now + limit.window().remaining(now);
    known.put(Key.of(hit), new Known(stays, limit.bucket().cost(), now, until));
  }

  /** What a hit finds holds the other hits of its request on the same counter, which are not counted if it is denied. */
  private static boolean isTwice(List<Hit> hits, int i) {
    if (hits.size() == 1) {
      return false;
    }
    var key = Key.of(hits.get(i));
    for (int other = 0; other < hits.size(); other++) {
      if (other != i && Key.of(hits.get(other)).equals(key)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public long now() {
    return store.now();
  }

  @Override
  public void warmUp() {
    store.warmUp();
  }

  @Override
  public boolean available() {
    return store.available();
  }

  @Override
  public void close() {
    store.close();
  }

  /** Takes what comes back as it goes by. */
  private final class Remembering implements Outcome {
    private final List<Hit> hits;
    private final long now;
    private final Outcome outcome;

    Remembering(List<Hit> hits, long now, Outcome outcome) {
      this.hits = hits;
      this.now = now;
      this.outcome = outcome;
    }

    @Override
    public void counted(Counts counts) {
      for (int i = 0; i < counts.size(); i++) {
        remember(hits, i, counts, now);
      }
      forgetGivenBack(hits);
      outcome.counted(counts);
    }

    @Override
    public void unavailable(Reason reason) {
      outcome.unavailable(reason);
    }
  }

  /** The hits of a request that are known to be over. */
  private static final class Over {
    private final long[] used;
    private final boolean[] has;
    private int number;
    private boolean quotas;
    private boolean denies;

    Over(int hits) {
      used = new long[hits];
      has = new boolean[hits];
    }

    void add(int i, long usedWithHit, Hit hit) {
      used[i] = usedWithHit;
      has[i] = true;
      number++;
      quotas |= hit.limit().terms().quota();
      denies |= !hit.limit().shadow() && !hit.limit().terms().quota();
    }

    boolean has(int i) {
      return has[i];
    }

    boolean denies(List<Hit> hits) {
      return denies || (number == hits.size() && Counts.denies(hits, used));
    }

    /** @param counts of the rest */
    Counts counts(List<Hit> hits, Counts counts, List<Hit> rest) {
      int next = 0;
      for (int i = 0; i < used.length; i++) {
        if (!has[i]) {
          var asked = rest.get(next);
          var hit = hits.get(i);
          used[i] = counts.used(next++) + hit.limit().units(hit.addend() - asked.addend());
        }
      }
      return new Counts(used, Counts.denies(hits, used), has);
    }
  }

  private record Key(String limit, String window, String subject) {
    static Key of(Hit hit) {
      return new Key(hit.limit().id(), hit.limit().window().sign(), hit.subject());
    }
  }

  /**
   * @param level at that time, and in a window from then on, at least
   * @param cost of a token then, since the limit may be another by now
   */
  private record Known(long level, long cost, long at, long until) {
    long atLeast(Limit limit, long now) {
      if (now >= until || now < at) {
        return 0;
      }
      return limit.algorithm() == Algorithm.TOKEN_BUCKET
          ? limit.bucket().drained(limit.bucket().converted(level, cost), now - at)
          : level;
    }
  }
}
