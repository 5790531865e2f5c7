package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.server.EventLoops;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A replica of the service under load: a store on loops of its own, and callers who hit one limit without a pause, so many at a time. It
 * counts what they were told. Whoever cannot be told is refused, as with {@code failure mode Deny}.
 */
final class Crowd implements AutoCloseable {
  private static final int CALLERS = 32;

  final AtomicLong admitted = new AtomicLong();
  final AtomicLong denied = new AtomicLong();

  /** Sent, and nobody knows whether it was counted. */
  final AtomicLong lost = new AtomicLong();

  private final EventLoops loops = EventLoops.start(2);
  private final Semaphore room = new Semaphore(CALLERS);
  private final CounterStore store;
  private final List<Hit> hits;
  private final @Nullable Runnable onAdmitted;
  private final Thread thread = new Thread(this::run, "crowd");
  private volatile boolean ended;

  Crowd(RedisSettings settings, Hit hit, @Nullable Runnable onAdmitted) {
    this.store = RedisCounterStore.start(settings, loops.all(), InstantSource.system());
    this.hits = List.of(hit);
    this.onAdmitted = onAdmitted;
  }

  Crowd begin() {
    store.warmUp();
    thread.start();
    return this;
  }

  private void run() {
    for (int i = 0; !ended; i++) {
      if (store.available() && takeRoom()) {
        loops.all().get(i % 2).execute(() -> store.apply(hits, store.now(), new Told()));
      }
    }
  }

  private boolean takeRoom() {
    try {
      return room.tryAcquire(10, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      ended = true;
      return false;
    }
  }

  private final class Told implements CounterStore.Outcome {
    @Override
    public void counted(Counts counts) {
      room.release();
      if (counts.denied()) {
        denied.incrementAndGet();
        return;
      }
      admitted.incrementAndGet();
      if (onAdmitted != null) {
        onAdmitted.run();
      }
    }

    @Override
    public void unavailable(Reason reason) {
      room.release();
      if (reason != Reason.NOT_ANSWERING && reason != Reason.OVERLOADED) {
        lost.incrementAndGet();
      }
    }
  }

  /** Lets nobody in any more and waits for those who are. */
  void end() {
    ended = true;
    try {
      thread.join();
      if (!room.tryAcquire(CALLERS, 10, TimeUnit.SECONDS)) {
        throw new IllegalStateException("callers were never answered");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** As a process that is killed: whoever is inside is told nothing good any more. */
  @Override
  public void close() {
    ended = true;
    store.close();
    loops.close();
  }
}
