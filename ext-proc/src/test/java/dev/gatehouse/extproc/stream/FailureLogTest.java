package dev.gatehouse.extproc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.gatehouse.extproc.stream.Processor.Cause;
import dev.gatehouse.extproc.stream.Processor.Failure;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class FailureLogTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger(FailureLog.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private long now = Long.MAX_VALUE - 10; // nanoTime may overflow
  private final FailureLog log = new FailureLog("tenants", () -> now);

  @BeforeEach
  void listen() {
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void leave() {
    logger.detachAppender(lines);
  }

  @Test
  void a_slow_warm_up_is_nobodys_fault() {
    var stats = new StreamStats("tenants");
    stats.warmingUp();
    stats.begun().held("REQUEST_HEADERS", 200_000_000);
    assertThat(said()).isEmpty();
    stats.ready();
    stats.begun().held("REQUEST_HEADERS", 200_000_000);
    assertThat(said()).singleElement().asString().startsWith("tenants held its event loop");
  }

  @Test
  void the_first_failure_is_told_at_once_with_what_was_thrown() {
    fail(new IllegalStateException("no database"));
    assertThat(said()).containsExactly("tenants failed at REQUEST_BODY (BROKEN): it threw");
    assertThat(lines.list.getFirst().getThrowableProxy().getMessage()).isEqualTo("no database");
  }

  @Test
  void a_processor_that_fails_at_each_request_is_told_of_every_ten_seconds_with_how_often() {
    for (var i = 0; i < 1_000; i++) {
      fail(null);
    }
    now += TimeUnit.SECONDS.toNanos(10) - 1;
    fail(null);
    assertThat(said()).hasSize(1);
    now += 1;
    fail(null);
    fail(null);
    assertThat(said().getLast())
        .isEqualTo(
            "tenants failed at REQUEST_BODY (BROKEN): it threw; 1000 more since the last such line");
    assertThat(said()).hasSize(2);
  }

  @Test
  void another_processor_has_its_own_ten_seconds() {
    fail(null);
    new FailureLog("others", () -> now)
        .failed("its end", new Failure(Cause.BROKEN, "it threw"), null);
    assertThat(said()).last().asString().startsWith("others failed at its end");
  }

  @Test
  void that_a_processor_holds_its_loop_is_told_apart_from_its_failures() {
    fail(null);
    log.held("REQUEST_BODY", TimeUnit.MILLISECONDS.toNanos(812));
    log.held("REQUEST_BODY", TimeUnit.MILLISECONDS.toNanos(812));
    assertThat(said()).hasSize(2);
    assertThat(said().getLast())
        .startsWith("tenants held its event loop for 812 ms at REQUEST_BODY")
        .contains("BlockingProcessor");
  }

  private void fail(Throwable thrown) {
    log.failed("REQUEST_BODY", new Failure(Cause.BROKEN, "it threw"), thrown);
  }

  private List<String> said() {
    return lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
  }
}
