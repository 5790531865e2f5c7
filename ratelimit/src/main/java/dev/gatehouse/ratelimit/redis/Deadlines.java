package dev.gatehouse.ratelimit.redis;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/**
 * What a loop waits for, in the order in which it falls due: all have the same time limit, so a queue is all it takes, with one timer for
 * its head. Used on its loop only.
 */
final class Deadlines {
  private final EventLoop loop;
  private final long timeoutNanos;
  private final ArrayDeque<Pending> queue = new ArrayDeque<>();
  private boolean timerRuns;

  Deadlines(EventLoop loop, long timeoutNanos) {
    this.loop = loop;
    this.timeoutNanos = timeoutNanos;
  }

  void add(Pending pending) {
    pending.due = System.nanoTime() + timeoutNanos;
    queue.add(pending);
    if (!timerRuns) {
      arm(timeoutNanos);
    }
  }

  private void arm(long nanos) {
    timerRuns = true;
    var _ = loop.schedule(this::expire, nanos, TimeUnit.NANOSECONDS);
  }

  private void expire() {
    timerRuns = false;
    long now = System.nanoTime();
    for (var head = queue.peek(); head != null; head = queue.peek()) {
      if (!head.done() && head.due - now > 0) {
        arm(head.due - now);
        return;
      }
      queue.remove();
      head.timeout();
    }
  }
}
