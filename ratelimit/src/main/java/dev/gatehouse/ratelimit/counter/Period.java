package dev.gatehouse.ratelimit.counter;

import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The counters of one window, or of the buckets that were asked for in one span of time; they go together. */
final class Period {
  /** In milliseconds since the epoch: its counters are for times from {@code from} to before {@code to}. */
  final long from;

  final long to;

  private final ConcurrentHashMap<CounterKey, Cell> cells = new ConcurrentHashMap<>();

  /** As they came; those that have left since are among them. */
  private final Queue<CounterKey> order = new ConcurrentLinkedQueue<>();

  private final AtomicLong size = new AtomicLong();

  /** The one before, for as long as its counters matter; null if they do not. */
  private volatile @Nullable Period last;

  Period(long from, long to, @Nullable Period last) {
    this.from = from;
    this.to = to;
    this.last = last;
  }

  boolean holds(long now) {
    return now >= from && now < to;
  }

  @Nullable
  Period last() {
    return last;
  }

  void forgetLast() {
    last = null;
  }

  @Nullable
  Cell get(CounterKey key) {
    return cells.get(key);
  }

  /** Puts it there, unless another is; says which is there now. */
  Cell put(CounterKey key, Cell cell) {
    var other = cells.putIfAbsent(key, cell);
    if (other != null) {
      return other;
    }
    order.add(key);
    size.incrementAndGet();
    return cell;
  }

  void remove(CounterKey key) {
    if (cells.remove(key) != null) {
      size.decrementAndGet();
    }
  }

  /** Lets go of the counter that has been here longest. */
  boolean evict() {
    var oldest = order.poll();
    if (oldest == null || cells.remove(oldest) == null) {
      return false;
    }
    size.decrementAndGet();
    return true;
  }

  long size() {
    return size.get();
  }
}
