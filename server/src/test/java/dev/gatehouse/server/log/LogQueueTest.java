package dev.gatehouse.server.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LogQueueTest {
  private final LoggerContext context = new LoggerContext();
  private final Slow target = new Slow();
  private final LogQueue queue = new LogQueue(target);

  @BeforeEach
  void start() {
    context.setMDCAdapter(new LogbackMDCAdapter());
    target.setContext(context);
    target.start();
    queue.setContext(context);
    queue.start();
  }

  @AfterEach
  void stop() {
    target.open.countDown();
    queue.stop();
  }

  @Test
  void writes_in_order_and_flush_waits_for_it() {
    target.open.countDown();
    for (int i = 0; i < 100; i++) {
      queue.doAppend(event(i));
    }
    queue.flush(Duration.ofSeconds(10));
    assertThat(target.written).hasSize(100);
    assertThat(target.written).first().isEqualTo("line 0");
    assertThat(target.written).last().isEqualTo("line 99");
  }

  @Test
  void a_writer_that_hangs_holds_nobody_up_and_what_was_dropped_is_counted() {
    for (int i = 0; i < LogQueue.CAPACITY + 500; i++) {
      queue.doAppend(event(i));
    }
    target.open.countDown();
    await().until(() -> target.written.size() >= LogQueue.CAPACITY + 1);
    assertThat(target.written)
        .filteredOn(line -> line.contains("dropped"))
        .singleElement()
        .isEqualTo(
            "500 log lines were dropped because they came faster than they could be written");
    assertThat(target.written).hasSize(LogQueue.CAPACITY + 1);
  }

  @Test
  void stopping_writes_what_waits() {
    target.open.countDown();
    queue.doAppend(event(1));
    queue.stop();
    assertThat(target.written).containsExactly("line 1");
  }

  private LoggingEvent event(int number) {
    return new LoggingEvent(
        "", context.getLogger("x"), Level.INFO, "line {}", null, new Object[] {number});
  }

  /** Writes nothing until it is opened. */
  private static final class Slow extends AppenderBase<ILoggingEvent> {
    final CountDownLatch open = new CountDownLatch(1);
    final Queue<String> written = new ConcurrentLinkedQueue<>();

    @Override
    protected void append(ILoggingEvent event) {
      try {
        open.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      written.add(event.getFormattedMessage());
    }
  }
}
