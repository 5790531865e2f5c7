package dev.gatehouse.ratelimit.stats;

import java.util.concurrent.atomic.LongAdder;

/**
 * How long answers took, in buckets that hold both of Prometheus's usual bounds: seconds as seconds (5 ms to 10 s), and milliseconds shown as
 * if they were seconds (5 µs to 10 ms), which is what envoyproxy/ratelimit shows with a mapper file that does not scale. Thread-safe.
 */
final class ResponseTimes {
  private static final long MICROSECOND = 1_000;
  private static final long MILLISECOND = 1_000_000;

  /** Prometheus's usual bounds. */
  private static final double[] USUAL = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

  private static final long[] BOUNDS_NANOS = {
    5 * MICROSECOND,
    10 * MICROSECOND,
    25 * MICROSECOND,
    50 * MICROSECOND,
    100 * MICROSECOND,
    250 * MICROSECOND,
    500 * MICROSECOND,
    MILLISECOND,
    2500 * MICROSECOND,
    5 * MILLISECOND,
    10 * MILLISECOND,
    25 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    250 * MILLISECOND,
    500 * MILLISECOND,
    1000 * MILLISECOND,
    2500 * MILLISECOND,
    5000 * MILLISECOND,
    10_000 * MILLISECOND
  };

  private final LongAdder[] counts = adders();
  private final LongAdder[] nanos = adders();

  /** Of the flushing thread alone. */
  private final long[] flushedCounts = new long[counts.length];

  private final long[] flushedNanos = new long[counts.length];

  private static LongAdder[] adders() {
    var adders = new LongAdder[BOUNDS_NANOS.length + 1];
    for (int i = 0; i < adders.length; i++) {
      adders[i] = new LongAdder();
    }
    return adders;
  }

  void took(long time) {
    int bucket = 0;
    while (bucket < BOUNDS_NANOS.length && time > BOUNDS_NANOS[bucket]) {
      bucket++;
    }
    counts[bucket].increment();
    nanos[bucket].add(time);
  }

  /** What is told of a bucket at a flush. */
  interface Bucket {
    void took(double meanMillis, long times);
  }

  /** The buckets that were hit since the last time. */
  void latch(Bucket listener) {
    for (int i = 0; i < counts.length; i++) {
      long count = counts[i].sum();
      long time = nanos[i].sum();
      long since = count - flushedCounts[i];
      if (since > 0) {
        listener.took((time - flushedNanos[i]) / 1e6 / since, since);
      }
      flushedCounts[i] = count;
      flushedNanos[i] = time;
    }
  }

  /** As a histogram of the exposition format. */
  void write(StringBuilder page, Series series, double scale) {
    double millisAtOne = 1 / scale;
    long total = 0;
    double sum = 0;
    int shown = 0;
    var labels = series.labels().isEmpty() ? "" : series.labels() + ",";
    for (int i = 0; i < counts.length; i++) {
      total += counts[i].sum();
      sum += nanos[i].sum() / 1e6 * scale;
      while (shown < USUAL.length
          && i < BOUNDS_NANOS.length
          && USUAL[shown] * millisAtOne * 1e6 <= BOUNDS_NANOS[i] * 1.0001) {
        page.append(series.metric()).append("_bucket{").append(labels).append("le=\"");
        page.append(PrometheusText.number(USUAL[shown]))
            .append("\"} ")
            .append(total)
            .append('\n');
        shown++;
      }
    }
    page.append(series.metric()).append("_bucket{").append(labels).append("le=\"+Inf\"} ");
    page.append(total).append('\n');
    PrometheusText.line(
        page, series.metric() + "_sum", series.labels(), PrometheusText.number(sum));
    PrometheusText.line(page, series.metric() + "_count", series.labels(), Long.toString(total));
  }
}
