package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore.Outcome;
import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import java.util.List;

/** The hits of one request, on their way to Redis and back. Used on its loop only; the first end counts. */
final class Pending {
  /** {@link System#nanoTime} of its time limit. */
  long due;

  private final Outcome outcome;
  private final List<Hit> hits;
  private final long[] counts;
  private int missing;
  private boolean done;

  Pending(List<Hit> hits, Outcome outcome) {
    this.outcome = outcome;
    this.hits = hits;
    this.counts = new long[hits.size()];
    this.missing = hits.size();
  }

  boolean done() {
    return done;
  }

  void counted(int hit, long count) {
    counts[hit] = count;
    if (--missing == 0 && !done) {
      done = true;
      outcome.counted(Counts.of(hits, counts));
    }
  }

  void failed(Reason reason) {
    if (!done) {
      done = true;
      outcome.unavailable(reason);
    }
  }

  void timeout() {
    failed(Reason.TIMEOUT);
  }
}
