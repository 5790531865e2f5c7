package dev.gatehouse.server;

/** Where a process stands between its start and its end; it only moves forward. Thread-safe. */
final class Readiness {
  enum State {
    WARMING,
    READY,
    DRAINING,
    STOPPED
  }

  private volatile State state = State.WARMING;

  State state() {
    return state;
  }

  boolean ready() {
    return state == State.READY;
  }

  /** Calls are taken while ready and, for those who have not heard of it yet, while draining. */
  boolean takesCalls() {
    var now = state;
    return now == State.READY || now == State.DRAINING;
  }

  /** @return whether this moved it: false if it already stood there or further */
  synchronized boolean become(State next) {
    if (next.compareTo(state) <= 0) {
      return false;
    }
    state = next;
    return true;
  }
}
