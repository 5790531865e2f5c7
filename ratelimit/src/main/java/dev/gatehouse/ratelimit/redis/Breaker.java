package dev.gatehouse.ratelimit.redis;

/**
 * Whether a server is to be sent anything. It opens after {@link #OPENS_AFTER} commands in a row that were not answered in time; then
 * nothing is sent but one question at a time, and the first that is answered in time closes it. Changed on its loop only.
 */
final class Breaker {
  /** In a row: as many requests with one limit each, where the counter is not new. One pause of Redis opens it; so does a Redis that is always too slow. */
  static final int OPENS_AFTER = 5;

  private int unanswered;
  private volatile boolean open;

  boolean open() {
    return open;
  }

  /** Whether every command of late was answered in time. */
  boolean calm() {
    return unanswered == 0;
  }

  /** @return whether this opened it */
  boolean timedOut() {
    unanswered++;
    if (open || unanswered < OPENS_AFTER) {
      return false;
    }
    open = true;
    return true;
  }

  /** A command was answered in time; while it is open that can be an old one's answer, which proves nothing. */
  void answered() {
    if (!open) {
      unanswered = 0;
    }
  }

  void close() {
    unanswered = 0;
    open = false;
  }
}
