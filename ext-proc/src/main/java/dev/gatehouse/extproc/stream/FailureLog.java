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
 * Tells the log that a processor fails: at once, then every ten seconds at most, with how many failures were not told. So a processor
 * that fails at each request does not fill the disk.
 */
final class FailureLog {
  private static final Logger LOG = LoggerFactory.getLogger(FailureLog.class);
  private static final long EVERY = TimeUnit.SECONDS.toNanos(10);

  private final String processor;
  private final LongSupplier nanoTime;
  private final AtomicLong due;
  private final LongAdder untold = new LongAdder();

  /** @param processor its name in the log */
  FailureLog(String processor) {
    this(processor, System::nanoTime);
  }

  FailureLog(String processor, LongSupplier nanoTime) {
    this.processor = processor;
    this.nanoTime = nanoTime;
    this.due = new AtomicLong(nanoTime.getAsLong());
  }

  /**
   * @param where which message it was about
   * @param thrown by the processor; null where it did not throw
   */
  void failed(String where, Failure failure, @Nullable Throwable thrown) {
    var now = nanoTime.getAsLong();
    var next = due.get();
    if (now - next < 0 || !due.compareAndSet(next, now + EVERY)) {
      untold.increment();
      return;
    }
    var more = untold.sumThenReset();
    LOG.warn(
        "{} failed at {} ({}): {}{}",
        processor,
        where,
        failure.cause(),
        failure.why(),
        more == 0 ? "" : "; " + more + " more failures since the last such line",
        thrown);
  }
}
