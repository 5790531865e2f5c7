package dev.gatehouse.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

class LogLinesTest {
  /** Ends the line, forges another, moves a terminal's cursor, ends the string. */
  private static final String HOSTILE = "x\r\n{\"level\":\"ERROR\"}\u001b[2J\u0085\u2028\t\\\"é";

  @Test
  void json_holds_the_event_and_its_keys_in_one_flat_object() {
    var event = event("took {} ms", 5);
    event.setKeyValuePairs(List.of(
        new KeyValuePair("service", "ext-authz"),
        new KeyValuePair("micros", 12L),
        new KeyValuePair("fresh", true),
        new KeyValuePair("nothing", null)));
    assertThat(json(event)).isEqualTo("""
        {"time":"2026-01-01T00:00:00.250Z","level":"WARN","logger":"dev.gatehouse.X","message":"took 5 ms",\
        "service":"ext-authz","micros":12,"fresh":true,"nothing":null}
        """);
  }

  @Test
  void nothing_in_a_message_a_key_or_an_error_can_end_a_line_or_a_string() {
    var event = event(HOSTILE);
    event.setKeyValuePairs(List.of(new KeyValuePair("path", HOSTILE)));
    event.setThrowableProxy(new ThrowableProxy(new IllegalStateException(HOSTILE)));
    var escaped = "x\\r\\n{\\\"level\\\":\\\"ERROR\\\"}\\u001b[2J\\u0085\\u2028\\t\\\\\\\"é";
    assertThat(json(event))
        .contains("\"message\":\"" + escaped + "\"")
        .contains("\"path\":\"" + escaped + "\"")
        .contains("\"error\":\"java.lang.IllegalStateException: " + escaped)
        .containsOnlyOnce("\n")
        .endsWith("}\n")
        .doesNotContain("\u001b", "\u0085", "\u2028", "\r");
  }

  @Test
  void text_for_people_has_one_line_and_then_the_stack_trace() {
    var event = event(HOSTILE);
    event.setKeyValuePairs(List.of(new KeyValuePair("path", "/a\nb")));
    event.setThrowableProxy(new ThrowableProxy(new IllegalStateException("broken")));
    var lines = new String(new TextLines().encode(event), UTF_8).lines().toList();
    assertThat(lines.getFirst())
        .matches("\\d\\d:\\d\\d:\\d\\d\\.\\d{3} WARN  x.*")
        .contains("x\\r\\n{\"level\":\"ERROR\"}\\u001b[2J")
        .endsWith(" path=/a\\nb");
    assertThat(lines.get(1)).isEqualTo("  java.lang.IllegalStateException: broken");
    assertThat(lines.get(2)).contains("LogLinesTest");
  }

  private static String json(LoggingEvent event) {
    return new String(new JsonLines().encode(event), UTF_8);
  }

  private static LoggingEvent event(String message, Object... arguments) {
    var event = new LoggingEvent();
    event.setLoggerName("dev.gatehouse.X");
    event.setLevel(Level.WARN);
    event.setInstant(Instant.parse("2026-01-01T00:00:00.250Z"));
    event.setMessage(message);
    event.setArgumentArray(Arrays.copyOf(arguments, arguments.length));
    return event;
  }
}
