package dev.gatehouse.extproc.stream;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A stream's loop where there is no event loop: whoever brings a task does it, and what others bring meanwhile, so that one task runs
 * at a time, in order. Bounded by what a stream takes at once: a message, the end of its work, a timer.
 */
final class SerialLoop implements ProcessorStream.Loop {
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    if (waiting.getAndIncrement() > 0) {
      return;
    }
    Throwable thrown = null;
    do {
      try {
        tasks.remove().run();
      } catch (RuntimeException | Error e) {
        thrown = e; // What waits behind it must not wait for ever; gRPC then ends the call.
      }
    } while (waiting.decrementAndGet() > 0);
    rethrow(thrown);
  }

  private static void rethrow(@Nullable Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
  }

  @Override
  public boolean shared() {
    return false;
  }

  @Override
  public void later(Runnable task) {
    Thread.startVirtualThread(() -> execute(task));
  }

  /** The task runs on a thread of its own, so that the timer waits for nobody. */
  @Override
  public Runnable after(Duration time, Runnable task) {
    var timer = Timer.SHARED.schedule(
        () -> Thread.startVirtualThread(() -> execute(task)), time.toNanos(), TimeUnit.NANOSECONDS);
    return () -> timer.cancel(false);
  }

  /** Begun with the first late reply. */
  private static final class Timer {
    static final ScheduledThreadPoolExecutor SHARED = make();

    private static ScheduledThreadPoolExecutor make() {
      var timer = new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().name("ext-proc-timer").daemon(true).factory());
      timer.setRemoveOnCancelPolicy(true);
      return timer;
    }
  }
}
