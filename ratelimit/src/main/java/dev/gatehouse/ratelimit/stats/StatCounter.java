package dev.gatehouse.ratelimit.stats;

import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** A number that only rises. Any thread adds; one thread asks how much came since it asked last. */
final class StatCounter {
  private final LongAdder value = new LongAdder();

  /** What Prometheus calls it, once somebody has asked. */
  volatile @Nullable Series series;

  /** Of the flushing thread alone. */
  private long flushed;

  void add(long more) {
    if (more != 0) {
      value.add(more);
    }
  }

  long value() {
    return value.sum();
  }

  /** What was added since the last time, which is thereby told. */
  long latch() {
    long now = value.sum();
    long since = now - flushed;
    flushed = now;
    return since;
  }
}
