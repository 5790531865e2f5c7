package dev.gatehouse.ratelimit.counter;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.Window;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Counters of this process alone, on its own clock. Lock-free: one hit is a look-up and a compare-and-set, several are a {@link Change}.
 *
 * <p>Counters go with their {@link Period}, so nothing is swept. Their number is bounded: one too many makes those of ended windows go, and
 * where that is not enough the oldest of the window that has most of them, so that a flood of subjects drives out its own. Whoever's counter
 * goes begins anew.
 */
public final class MemoryCounterStore implements CounterStore {
  /** A new counter makes at most so many others go: one for itself, and one that came while others were let go of. */
  private static final int EVICT_AT_ONCE = 4;

  /** Where a counter stays; no limit is near it. */
  private static final long MAX_AMOUNT = 1L << 61;

  private final InstantSource clock;
  private final int maxCounters;
  private final Map<Window, Periods> fixed = new ConcurrentHashMap<>();
  private final Map<Window, Periods> sliding = new ConcurrentHashMap<>();
  private final Map<Integer, Periods> buckets = new ConcurrentHashMap<>();
  private final List<Periods> all = new CopyOnWriteArrayList<>();
  private final AtomicLong cells = new AtomicLong();
  private final LongAdder evictions = new LongAdder();

  /** @param maxCounters of all windows together; a counter takes about 200 bytes */
  public MemoryCounterStore(InstantSource clock, int maxCounters) {
    this.clock = clock;
    this.maxCounters = maxCounters;
  }

  /** Says how many counters there are, and how many had to go. Once a registry. */
  public void register(PrometheusRegistry metrics) {
    GaugeWithCallback.builder()
        .name("gatehouse_ratelimit_memory_counters")
        .help("Counters in this process's memory.")
        .callback(callback -> callback.call((double) counters()))
        .register(metrics);
    CounterWithCallback.builder()
        .name("gatehouse_ratelimit_memory_counters_evicted_total")
        .help(
            "Counters that had to go before their window ended, since there were too many: whoever they counted began anew.")
        .callback(callback -> callback.call((double) evictions()))
        .register(metrics);
  }

  @Override
  public long now() {
    return clock.millis();
  }

  @Override
  public void apply(List<Hit> hits, long now, Outcome outcome) {
    outcome.counted(hits.size() == 1 ? one(hits, now) : several(hits, now));
  }

  private Counts one(List<Hit> hits, long now) {
    var hit = hits.getFirst();
    var limit = hit.limit();
    var periods = periods(limit);
    var period = periods.at(now);
    var key = new CounterKey(limit.id(), hit.subject());
    var cell = periods.get(period, key);
    var used = new long[1];
    while (true) {
      var before = cell == null ? Cell.NOTHING : cell.value();
      long amount = before.amount(limit, now);
      long with = withHit(hit, amount);
      used[0] = with + ofLast(limit, period, key, now);
      boolean denied = Counts.denies(hits, used);
      long after = isCounted(hit, denied) ? taken(hit, amount, with) : amount;
      if (after == amount && !before.ahead(now)) {
        return new Counts(used, denied);
      }
      if (cell == null) {
        cell = create(periods, period, key, now);
      } else if (cell.set(before, before.next(limit, after, now))) {
        return new Counts(used, denied);
      }
    }
  }

  private Counts several(List<Hit> hits, long now) {
    var request = new Request(hits, now);
    while (true) {
      request.judge();
      if (!request.changes()) {
        if (request.stillStands()) {
          return request.counts();
        }
      } else if (!request.createsMissing() && request.commit()) {
        return request.counts();
      }
    }
  }

  /** Several hits at once: each counter once, whichever hits are on it. */
  private final class Request {
    private final List<Hit> hits;
    private final long now;
    private final long[] used;

    /** For each hit the place of its counter in what follows. */
    private final int[] place;

    private final Periods[] periods;
    private final Period[] period;
    private final CounterKey[] key;
    private final @Nullable Cell[] cell;
    private final Value[] before;
    private final Value[] after;
    private int counters;
    private boolean denied;

    Request(List<Hit> hits, long now) {
      int n = hits.size();
      this.hits = hits;
      this.now = now;
      used = new long[n];
      place = new int[n];
      periods = new Periods[n];
      period = new Period[n];
      key = new CounterKey[n];
      cell = new Cell[n];
      before = new Value[n];
      after = new Value[n];
      for (int i = 0; i < n; i++) {
        place[i] = find(hits.get(i));
      }
    }

    private int find(Hit hit) {
      var its = periods(hit.limit());
      var itsKey = new CounterKey(hit.limit().id(), hit.subject());
      for (int p = 0; p < counters; p++) {
        if (periods[p] == its && key[p].equals(itsKey)) {
          return p;
        }
      }
      int p = counters++;
      periods[p] = its;
      period[p] = its.at(now);
      key[p] = itsKey;
      cell[p] = its.get(period[p], itsKey);
      return p;
    }

    /** All hits as if each were counted, in their order; and if that denies, those alone that are counted nevertheless. */
    void judge() {
      for (int p = 0; p < counters; p++) {
        var its = cell[p];
        before[p] = its == null ? Cell.NOTHING : its.value();
      }
      System.arraycopy(before, 0, after, 0, counters);
      for (int i = 0; i < place.length; i++) {
        used[i] = take(i) + ofLast(hits.get(i).limit(), period[place[i]], key[place[i]], now);
      }
      denied = Counts.denies(hits, used);
      if (!denied) {
        return;
      }
      System.arraycopy(before, 0, after, 0, counters);
      for (int i = 0; i < place.length; i++) {
        if (isCounted(hits.get(i), true)) {
          take(i);
        }
      }
    }

    /** @return the counter with the hit in it */
    private long take(int i) {
      int p = place[i];
      var limit = hits.get(i).limit();
      long amount = after[p].amount(limit, now);
      long with = withHit(hits.get(i), amount);
      long taken = taken(hits.get(i), amount, with);
      if (taken != amount || after[p].ahead(now)) {
        after[p] = after[p].next(limit, taken, now);
      }
      return with;
    }

    boolean changes() {
      for (int p = 0; p < counters; p++) {
        if (after[p] != before[p]) {
          return true;
        }
      }
      return false;
    }

    /** What was read one after another was so at one time. */
    boolean stillStands() {
      for (int p = 0; p < counters; p++) {
        var its = cell[p];
        if (its != null && its.value() != before[p]) {
          return false;
        }
      }
      return true;
    }

    /** Whether there were any, so that all has to be judged again. */
    boolean createsMissing() {
      boolean created = false;
      for (int p = 0; p < counters; p++) {
        if (cell[p] == null) {
          cell[p] = create(periods[p], period[p], key[p], now);
          created = true;
        }
      }
      return created;
    }

    boolean commit() {
      return new Change(
              Arrays.copyOf(cell, counters),
              Arrays.copyOf(before, counters),
              Arrays.copyOf(after, counters))
          .finish();
    }

    Counts counts() {
      return new Counts(used, denied);
    }
  }

  private static long withHit(Hit hit, long amount) {
    return Math.clamp(amount + hit.limit().units(hit.addend()), 0, MAX_AMOUNT);
  }

  /** Whether it is counted. */
  private static boolean isCounted(Hit hit, boolean denied) {
    return !denied || hit.addend() < 0 || hit.limit().terms().countsDenied();
  }

  /** What becomes of the amount when the hit is counted: what a token bucket does not hold cannot be taken from it. */
  private static long taken(Hit hit, long amount, long with) {
    var limit = hit.limit();
    boolean spills =
        limit.algorithm() == Algorithm.TOKEN_BUCKET && hit.addend() > 0 && with > limit.capacity();
    return spills ? amount : with;
  }

  private static long ofLast(Limit limit, Period period, CounterKey key, long now) {
    if (limit.algorithm() != Algorithm.SLIDING_WINDOW) {
      return 0;
    }
    var last = period.last();
    var cell = last == null ? null : last.get(key);
    if (cell == null) {
      return 0;
    }
    long remaining = period.to - Math.max(now, period.from);
    return Sliding.of(
        cell.value().amount(limit, now), Sliding.part(remaining, period.to - period.from));
  }

  private Periods periods(Limit limit) {
    return switch (limit.algorithm()) {
      case FIXED_WINDOW -> {
        var known = fixed.get(limit.window());
        yield known != null ? known : fixed.computeIfAbsent(limit.window(), this::fixed);
      }
      case SLIDING_WINDOW -> {
        var known = sliding.get(limit.window());
        yield known != null ? known : sliding.computeIfAbsent(limit.window(), this::sliding);
      }
      case TOKEN_BUCKET -> {
        int n = fullAgain(limit);
        var known = buckets.get(n);
        yield known != null ? known : buckets.computeIfAbsent(n, this::buckets);
      }
    };
  }

  private Periods fixed(Window window) {
    return added(new Periods.OfWindow(window, false));
  }

  private Periods sliding(Window window) {
    return added(new Periods.OfWindow(window, true));
  }

  private Periods buckets(int n) {
    return added(new Periods.OfBuckets(n));
  }

  private Periods added(Periods periods) {
    all.add(periods);
    return periods;
  }

  /** The bucket is full again after 2ⁿ milliseconds at the latest. */
  private static int fullAgain(Limit limit) {
    long millis = limit.capacity() == 0 ? 1 : limit.bucket().millisFor(limit.capacity());
    return Long.SIZE - Long.numberOfLeadingZeros(millis);
  }

  private Cell create(Periods periods, Period period, CounterKey key, long now) {
    makeRoom(now);
    return periods.getOrPut(period, key, cells.incrementAndGet());
  }

  /** For one more. There are as many periods to look at as the configuration has windows. */
  private void makeRoom(long now) {
    if (counters() < maxCounters) {
      return;
    }
    for (var periods : all) {
      var _ = periods.at(now);
    }
    for (int i = 0; i < EVICT_AT_ONCE && counters() >= maxCounters; i++) {
      if (largest().evict()) {
        evictions.increment();
      }
    }
  }

  private Periods largest() {
    var largest = all.getFirst();
    for (var periods : all) {
      if (periods.size() > largest.size()) {
        largest = periods;
      }
    }
    return largest;
  }

  /** How many counters stand, those of ended windows that nobody has asked for since among them. */
  public long counters() {
    long counters = 0;
    for (var periods : all) {
      counters += periods.size();
    }
    return counters;
  }

  /** How many had to go before their window ended. */
  public long evictions() {
    return evictions.sum();
  }

  @Override
  public void warmUp() {}

  @Override
  public boolean available() {
    return true;
  }

  @Override
  public void close() {}
}
