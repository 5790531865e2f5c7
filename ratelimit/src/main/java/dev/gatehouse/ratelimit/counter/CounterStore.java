package dev.gatehouse.ratelimit.counter;

import java.util.List;

/**
 * Counters in fixed windows. Exact: of all hits on a counter in a window each sees another count, whatever thread or replica they come from.
 */
public interface CounterStore extends AutoCloseable {
  /** The store's clock, which says when windows end: milliseconds since the epoch. Replicas that share the store agree on it. */
  long now();

  /**
   * Counts all hits in the windows that {@code now} is in, also those over their limit, as envoyproxy/ratelimit does.
   *
   * @param hits at least one
   * @param now from {@link #now()}
   * @param outcome called exactly once: on the calling thread if that is an event loop of the store's, in any case within the store's
   *     time limit
   */
  void apply(List<Hit> hits, long now, Outcome outcome);

  /** Waits on an ordinary thread, for a bounded time, until the store can count; how it went does not matter. */
  void warmUp();

  /** Whether the store could count now. */
  boolean available();

  @Override
  void close();

  /** What came of it. */
  interface Outcome {
    /** @param counts of each hit, in their order: the counter with the hit in it */
    void counted(long[] counts);

    /** Nobody knows whether the hits were counted. */
    void unavailable(Reason reason);
  }

  /** Why a store cannot count. */
  enum Reason {
    NOT_CONNECTED("the counter store is not connected"),
    TIMEOUT("the counter store did not answer in time"),
    OVERLOADED("the counter store has too many requests in flight"),
    FULL("the counter store is full"),
    FAILED("the counter store answered with an error");

    private final String text;

    Reason(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }
}
