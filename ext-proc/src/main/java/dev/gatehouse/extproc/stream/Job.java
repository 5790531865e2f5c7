package dev.gatehouse.extproc.stream;

import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One {@link Reply.Work} on its way through a worker. Given up it is interrupted, and what it makes is heard by nobody. */
final class Job implements Runnable {
  /** What the work came to. */
  sealed interface Result {
    record Done(Supplier<Reply> reply) implements Result {}

    record Thrown(Throwable why) implements Result {}
  }

  private final Reply.Work work;
  private final BiConsumer<Job, Result> heard;
  private @Nullable Thread worker;
  private boolean abandoned;

  /** @param heard called by the worker, unless the job was given up */
  Job(Reply.Work work, BiConsumer<Job, Result> heard) {
    this.work = work;
    this.heard = heard;
  }

  @Override
  public void run() {
    if (!begin()) {
      return;
    }
    Result result;
    try {
      result = new Result.Done(work.run());
    } catch (Throwable e) { // Whatever it is, the stream must get its answer.
      result = new Result.Thrown(e);
    }
    if (end()) {
      heard.accept(this, result);
    }
  }

  /** An interrupt reaches this work only, never what the worker does next. */
  synchronized void abandon() {
    abandoned = true;
    if (worker != null) {
      worker.interrupt();
    }
  }

  private synchronized boolean begin() {
    worker = Thread.currentThread();
    return !abandoned;
  }

  /** @return whether anybody still waits for it */
  private synchronized boolean end() {
    worker = null;
    if (abandoned) {
      var _ = Thread.interrupted();
    }
    return !abandoned;
  }
}
