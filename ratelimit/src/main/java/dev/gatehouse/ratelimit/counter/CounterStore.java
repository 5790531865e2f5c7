package dev.gatehouse.ratelimit.counter;

import java.util.List;

/**
 * Counters of limits. Exact: all the hits of a request are judged and counted at once, and of all requests on a counter each sees another
 * count, whatever thread or replica they come from.
 */
public interface CounterStore extends AutoCloseable {
  /** The store's clock, which says when windows end: milliseconds since the epoch. Replicas that share the store agree on it. */
  long now();

  /**
   * Counts the hits at the time {@code now}. Those of limits that count denied requests ({@code Limit.Terms.countsDenied}) are counted in any
   * case, also over the limit; the others only if the request is not denied ({@link Counts#denies}), all of them or none. What gives back
   * is always counted. But what a token bucket does not hold is not taken from it, neither by a denied request nor in shadow mode: else a
   * client that keeps asking would never be served again.
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

  /**
   * Whether a counter may hold for a moment what a denied request gives back again: only where the hits of a request cannot be judged at
   * once.
   */
  default boolean givesBack() {
    return false;
  }

  @Override
  void close();

  /** What came of it. */
  interface Outcome {
    void counted(Counts counts);

    /** Nobody knows whether the hits were counted. */
    void unavailable(Reason reason);
  }

  /** Why a store cannot count. */
  enum Reason {
    NOT_CONNECTED("the counter store is not connected"),
    /** It was silent of late; nothing is sent until it answers again. */
    NOT_ANSWERING("the counter store does not answer at present"),
    TIMEOUT("the counter store did not answer in time"),
    OVERLOADED("the counter store has too many requests in flight"),
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
