package dev.gatehouse.ratelimit.counter;

import dev.gatehouse.ratelimit.descriptor.Window;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * Counters of this process alone, on its own clock.
 *
 * <p>Each unit has one map, that of its current window; when a window ends, its map goes as a whole, so nothing is swept and a counter
 * costs one look-up and one atomic addition. Their number is bounded: past {@code maxCounters} a new counter is refused while those that
 * stand stay exact, since dropping one would let its owner begin anew.
 */
public final class MemoryCounterStore implements CounterStore {
  private final InstantSource clock;
  private final int maxCounters;
  private final Map<Window, Current> windows = new ConcurrentHashMap<>();

  /** @param maxCounters of all units together; a counter takes about 150 bytes */
  public MemoryCounterStore(InstantSource clock, int maxCounters) {
    this.clock = clock;
    this.maxCounters = maxCounters;
  }

  @Override
  public long now() {
    return clock.millis();
  }

  @Override
  public void apply(List<Hit> hits, long now, Outcome outcome) {
    var counts = new long[hits.size()];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = count(hits.get(i), now);
      if (counts[i] < 0) {
        outcome.unavailable(Reason.FULL);
        return;
      }
    }
    outcome.counted(Counts.of(hits, counts));
  }

  /** The counter with the hit in it, or -1 if there is no room for another counter. */
  private long count(Hit hit, long now) {
    var window = hit.limit().window();
    var counters = current(window, window.number(now)).counters;
    var key = new Key(hit.limit().id(), hit.subject());
    var counter = counters.get(key);
    if (counter != null) {
      return counter.addAndGet(hit.addend());
    }
    if (hit.addend() == 0) {
      return 0;
    }
    if (counters() >= maxCounters && !dropEnded(now)) {
      return -1;
    }
    return counters.computeIfAbsent(key, k -> new AtomicLong()).addAndGet(hit.addend());
  }

  /** A thread whose time was read just before the window ended counts in the next one, which another thread has begun. */
  private Counters current(Window window, long number) {
    var slot = windows.computeIfAbsent(window, w -> new Current());
    while (true) {
      var current = slot.window;
      if (current.number == number || current.number == number + 1) {
        return current;
      }
      var next = new Counters(number);
      if (Current.WINDOW.compareAndSet(slot, current, next)) {
        return next;
      }
    }
  }

  /** How many counters stand, those of ended windows that nobody has asked for since among them. */
  public long counters() {
    return windows.values().stream()
        .mapToLong(slot -> slot.window.counters.mappingCount())
        .sum();
  }

  private boolean dropEnded(long now) {
    windows.keySet().forEach(window -> current(window, window.number(now)));
    return counters() < maxCounters;
  }

  @Override
  public void warmUp() {}

  @Override
  public boolean available() {
    return true;
  }

  @Override
  public void close() {}

  private record Key(String limit, String subject) {}

  /** A unit's current window. */
  private static final class Current {
    static final AtomicReferenceFieldUpdater<Current, Counters> WINDOW =
        AtomicReferenceFieldUpdater.newUpdater(Current.class, Counters.class, "window");

    volatile Counters window = new Counters(Long.MIN_VALUE);
  }

  private record Counters(long number, ConcurrentHashMap<Key, AtomicLong> counters) {
    Counters(long number) {
      this(number, new ConcurrentHashMap<>());
    }
  }
}
