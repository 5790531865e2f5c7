package dev.gatehouse.extproc.kit;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A virtual thread for each piece of work, and no more at once than allowed: what never returns must not pile up for ever. Has
 * nothing to close.
 */
public final class VirtualWorkers implements Executor {
  private final Thread.Builder threads;
  private final int atMost;
  private final AtomicInteger running = new AtomicInteger();

  /**
   * @param name of the threads, with a number behind it
   * @param atMost work at once; more is rejected, which a stream takes for {@code BUSY}
   */
  public VirtualWorkers(String name, int atMost) {
    this.threads = Thread.ofVirtual().name(name + "-", 0);
    this.atMost = atMost;
  }

  /** @throws RejectedExecutionException if too much runs already */
  @Override
  public void execute(Runnable work) {
    if (running.incrementAndGet() > atMost) {
      running.decrementAndGet();
      throw new RejectedExecutionException(atMost + " pieces of work run already");
    }
    threads.start(() -> {
      try {
        work.run();
      } finally {
        running.decrementAndGet();
      }
    });
  }

  /** How much runs now, what was given up and has not returned included. */
  public int running() {
    return running.get();
  }
}
