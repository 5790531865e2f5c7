package dev.gatehouse.bench;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/** How the calls of a measurement went. Latencies are written by the client's one event loop. */
final class Recorder {
  private final AtomicLong failed = new AtomicLong();
  private long[] latencies = new long[1 << 16];
  private int count;
  private int passes;

  void add(long nanos, boolean passed) {
    if (passed) {
      passes++;
    } else {
      fail();
    }
    if (count == latencies.length) {
      latencies = Arrays.copyOf(latencies, count * 2);
    }
    latencies[count++] = nanos;
  }

  void fail() {
    failed.incrementAndGet();
  }

  /** Each by itself, in nanoseconds. */
  long[] latencies() {
    return Arrays.copyOf(latencies, count);
  }

  private static double micros(long[] sorted, double share) {
    var at = Math.min(sorted.length - 1, (int) (sorted.length * share));
    return at < 0 ? 0 : sorted[at] / 1e3;
  }

  Load.Result result(double seconds) {
    var sorted = Arrays.copyOf(latencies, count);
    Arrays.sort(sorted);
    return new Load.Result(
        count,
        passes,
        seconds,
        failed.get(),
        micros(sorted, 0.5),
        micros(sorted, 0.99),
        micros(sorted, 0.999));
  }
}
