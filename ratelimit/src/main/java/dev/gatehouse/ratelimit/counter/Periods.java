package dev.gatehouse.ratelimit.counter;

import dev.gatehouse.ratelimit.descriptor.Window;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * One period after another: the current one's counters, and the last one's where they matter still. When a period ends its counters go as a
 * whole; nothing is swept.
 */
abstract sealed class Periods {
  private static final AtomicReferenceFieldUpdater<Periods, Period> CURRENT =
      AtomicReferenceFieldUpdater.newUpdater(Periods.class, Period.class, "current");

  private volatile Period current = new Period(Long.MIN_VALUE, Long.MIN_VALUE, null);

  /** The period of a time. */
  final Period at(long now) {
    while (true) {
      var period = current;
      if (period.holds(now) || isLate(now, period)) {
        return period;
      }
      long from = from(now);
      var next = new Period(from, to(now), from == period.to && keepsLast() ? period : null);
      if (CURRENT.compareAndSet(this, period, next)) {
        period.forgetLast();
      }
    }
  }

  /** A thread whose time was read just before the period began counts in it; a clock that was set back does not. */
  private static boolean isLate(long now, Period period) {
    return now < period.from && period.from - now <= Math.max(Value.AHEAD, period.to - period.from);
  }

  abstract long from(long now);

  abstract long to(long now);

  /** Whether a period's counters matter in the next one. */
  abstract boolean keepsLast();

  /** The counter, or null. */
  @Nullable
  Cell get(Period period, CounterKey key) {
    return period.get(key);
  }

  /** The counter, a new one if there is none. */
  Cell getOrPut(Period period, CounterKey key, long number) {
    return period.put(key, new Cell(number));
  }

  final Period current() {
    return current;
  }

  final long size() {
    var period = current;
    var last = period.last();
    return period.size() + (last == null ? 0 : last.size());
  }

  /** Lets go of the oldest counter. */
  final boolean evict() {
    var period = current;
    var last = period.last();
    return (last != null && last.evict()) || period.evict();
  }

  /** Of windows. */
  static final class OfWindow extends Periods {
    private final Window window;
    private final boolean sliding;

    OfWindow(Window window, boolean sliding) {
      this.window = window;
      this.sliding = sliding;
    }

    @Override
    long from(long now) {
      return to(now) - window.length(now);
    }

    @Override
    long to(long now) {
      return now + window.remaining(now);
    }

    @Override
    boolean keepsLast() {
      return sliding;
    }
  }

  /**
   * Of token buckets that are full again, from whatever level, after 2ⁿ milliseconds at the latest. A bucket that is asked for moves into the
   * current period; so one that goes with the last has been left alone for a whole period, and is full.
   */
  static final class OfBuckets extends Periods {
    private final long millis;

    OfBuckets(int n) {
      this.millis = 1L << n;
    }

    @Override
    long from(long now) {
      return now - Math.floorMod(now, millis);
    }

    @Override
    long to(long now) {
      return from(now) + millis;
    }

    @Override
    boolean keepsLast() {
      return true;
    }

    @Override
    @Nullable
    Cell get(Period period, CounterKey key) {
      var here = period.get(key);
      var last = period.last();
      if (here != null || last == null) {
        return here;
      }
      var there = last.get(key);
      if (there == null) {
        // Somebody may have moved it between the two looks.
        return period.get(key);
      }
      var moved = settled(period, key, period.put(key, there));
      last.remove(key);
      return moved;
    }

    @Override
    Cell getOrPut(Period period, CounterKey key, long number) {
      return settled(period, key, super.getOrPut(period, key, number));
    }

    /**
     * A period may have begun since this one was looked up. Then somebody who looked for the counter there did not find it here: the one
     * that is there holds.
     */
    private Cell settled(Period period, CounterKey key, Cell cell) {
      var seen = period;
      var settled = cell;
      for (var now = current(); now != seen; now = current()) {
        settled = now.put(key, settled);
        seen = now;
      }
      return settled;
    }
  }
}
