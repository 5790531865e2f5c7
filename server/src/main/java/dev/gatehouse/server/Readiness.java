package dev.gatehouse.server;

/** Where a process stands between its start and its end; it only moves forward. Thread-safe. */
final class Readiness {
  enum State {
    WARMING,
    READY,
    DRAINING
  }

  private volatile State state = State.WARMING;

  State state() {
    return state;
  }

  boolean ready() {
    return state == State.READY;
  }

  /** Calls are taken from readiness on to the end: one that is under way when a connection is asked to go is answered too. */
  boolean takesCalls() {
    return state != State.WARMING;
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
