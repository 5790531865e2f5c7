package dev.gatehouse.extproc.stream;

import dev.gatehouse.extproc.stream.Processor.Failure;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the log that a processor fails, or holds its event loop: at once, then every ten seconds at most, with how often it was not
 * told. So a processor that fails at each request does not fill the disk.
 */
public final class FailureLog {
  private static final Logger LOG = LoggerFactory.getLogger(FailureLog.class);
  private static final long EVERY = TimeUnit.SECONDS.toNanos(10);
  private static final long NOT_NOW = -1;

  private final String processor;
  private final LongSupplier nanoTime;
  private final Line failures = new Line();
  private final Line holds = new Line();

  /** @param processor its name in the log */
  public FailureLog(String processor) {
    this(processor, System::nanoTime);
  }

  FailureLog(String processor, LongSupplier nanoTime) {
    this.processor = processor;
    this.nanoTime = nanoTime;
  }

  /**
   * @param where which message it was about
   * @param thrown by the processor; null where it did not throw
   */
  public void failed(String where, Failure failure, @Nullable Throwable thrown) {
    var untold = failures.told(nanoTime.getAsLong());
    if (untold != NOT_NOW) {
      LOG.warn(
          "{} failed at {} ({}): {}{}",
          processor,
          where,
          failure.cause(),
          failure.why(),
          andMore(untold),
          thrown);
    }
  }

  /**
   * @param where which message it was about
   * @param nanos that it took
   */
  void held(String where, long nanos) {
    var untold = holds.told(nanoTime.getAsLong());
    if (untold != NOT_NOW) {
      LOG.warn(
          "{} held its event loop for {} ms at {}, and the other streams there waited: what blocks or takes long is for a BlockingProcessor{}",
          processor,
          TimeUnit.NANOSECONDS.toMillis(nanos),
          where,
          andMore(untold));
    }
  }

  private static String andMore(long untold) {
    return untold == 0 ? "" : "; " + untold + " more since the last such line";
  }

  /** When a line may be written again, and how often it was not. */
  private static final class Line {
    private final AtomicLong due = new AtomicLong();
    private final LongAdder untold = new LongAdder();
    private volatile boolean begun;

    long told(long now) {
      var next = due.get();
      if ((begun && now - next < 0) || !due.compareAndSet(next, now + EVERY)) {
        untold.increment();
        return NOT_NOW;
      }
      begun = true;
      return untold.sumThenReset();
    }
  }
}
