package dev.gatehouse.server.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Stands between those who log and the one thread that writes. Logging never blocks, takes no lock and makes no system call: an
 * event loop logs here, and a log collector that stopped reading must not stop Envoy's callouts. {@value #CAPACITY}
 * events may wait; more are dropped and counted, and a line says how many.
 *
 * <p>Logback's own AsyncAppender takes a lock for every event, for which loops would park.
 */
final class LogQueue extends UnsynchronizedAppenderBase<ILoggingEvent> {
  static final int CAPACITY = 8192;

  private static final long POLL_NANOS = Duration.ofMillis(10).toNanos();

  private final Appender<ILoggingEvent> target;
  private final Queue<ILoggingEvent> events = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final LongAdder dropped = new LongAdder();
  private final Thread writer =
      Thread.ofPlatform().daemon().name("gatehouse-log").unstarted(this::write);

  LogQueue(Appender<ILoggingEvent> target) {
    this.target = target;
  }

  @Override
  public void start() {
    super.start();
    writer.start();
  }

  @Override
  protected void append(ILoggingEvent event) {
    if (waiting.get() >= CAPACITY) {
      dropped.increment();
      return;
    }
    event.prepareForDeferredProcessing();
    waiting.incrementAndGet();
    events.add(event);
  }

  private void write() {
    while (isStarted() || !events.isEmpty()) {
      var event = events.poll();
      if (event == null) {
        LockSupport.parkNanos(POLL_NANOS);
        continue;
      }
      target.doAppend(event);
      waiting.decrementAndGet();
      reportDropped(event);
    }
    target.stop();
  }

  private void reportDropped(ILoggingEvent last) {
    long lost = dropped.sumThenReset();
    if (lost > 0) {
      target.doAppend(Lost.lines(lost, last));
    }
  }

  /** Waits until all that was logged before is written, or the time is up. */
  void flush(Duration atMost) {
    long deadline = System.nanoTime() + atMost.toNanos();
    while (waiting.get() > 0 && writer.isAlive() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(POLL_NANOS / 10);
    }
  }

  @Override
  public void stop() {
    flush(Duration.ofSeconds(1));
    super.stop();
  }
}
