package dev.gatehouse.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class DecisionLogTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.gatehouse.decisions");
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  @BeforeEach
  void listen() {
    lines.start();
    logger.addAppender(lines);
    logger.setAdditive(false);
  }

  @AfterEach
  void leave() {
    logger.detachAppender(lines);
    logger.setAdditive(true);
  }

  @Test
  void a_line_holds_all_that_a_decision_holds() {
    new DecisionLog(DecisionLog.What.ALL).decided(decision(Outcome.ALLOWED));
    assertThat(lines.list)
        .singleElement()
        .satisfies(line -> assertThat(line.getKeyValuePairs())
            .extracting(pair -> pair.key + "=" + pair.value)
            .containsExactly(
                "service=ext-authz",
                "requestId=id",
                "method=GET",
                "path=/orders",
                "who=alice",
                "policy=shop/orders",
                "outcome=ALLOWED",
                "reason=jwt",
                "detail=scope orders:read",
                "micros=1234"));
  }

  @Test
  void all_or_only_those_that_kept_a_request_from_passing() {
    for (var outcome : Outcome.values()) {
      new DecisionLog(DecisionLog.What.DENIED).decided(decision(outcome));
    }
    assertThat(lines.list)
        .extracting(line -> line.getKeyValuePairs().get(6).value)
        .containsExactly(Outcome.DENIED, Outcome.UNAVAILABLE, Outcome.OVER_LIMIT, Outcome.FAILED);
  }

  private static Decision decision(Outcome outcome) {
    return new Decision(
        "ext-authz",
        "id",
        "GET",
        "/orders",
        "alice",
        "shop/orders",
        outcome,
        "jwt",
        "scope orders:read",
        1_234_567);
  }
}
