package dev.gatehouse.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** What a process writes to stderr. */
class LogsTest {
  private final PrintStream stderr = System.err;
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();

  @BeforeEach
  void capture() {
    Logs.flush();
    System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() {
    Logs.flush();
    System.setErr(stderr);
    Logs.configure(Level.INFO, Logs.Format.AUTO);
  }

  @Test
  void the_level_is_for_our_loggers_and_libraries_stay_at_info() {
    Logs.configure(Level.DEBUG, Logs.Format.JSON);
    LoggerFactory.getLogger("dev.gatehouse.x").debug("ours");
    LoggerFactory.getLogger("io.netty.x").debug("theirs");
    assertThat(lines())
        .singleElement()
        .asString()
        .contains("\"level\":\"DEBUG\"")
        .contains("\"message\":\"ours\"");
  }

  @Test
  void a_higher_level_quiets_libraries_too() {
    Logs.configure(Level.ERROR, Logs.Format.JSON);
    LoggerFactory.getLogger("dev.gatehouse.x").warn("ours");
    LoggerFactory.getLogger("io.netty.x").warn("theirs");
    LoggerFactory.getLogger("io.netty.x").error("broken");
    assertThat(lines()).singleElement().asString().contains("broken");
  }

  @Test
  void what_grpc_logs_through_java_util_logging_looks_the_same() {
    Logs.configure(Level.INFO, Logs.Format.JSON);
    java.util.logging.Logger.getLogger("io.grpc.x").warning("from gRPC");
    assertThat(lines())
        .singleElement()
        .asString()
        .startsWith("{\"time\":\"")
        .contains("\"logger\":\"io.grpc.x\",\"message\":\"from gRPC\"");
  }

  @Test
  void text_is_there_for_people() {
    Logs.configure(Level.INFO, Logs.Format.TEXT);
    LoggerFactory.getLogger("dev.gatehouse.x")
        .atInfo()
        .addKeyValue("path", "/a")
        .log("hello");
    assertThat(lines()).singleElement().asString().endsWith("INFO  hello path=/a");
  }

  private java.util.List<String> lines() {
    Logs.flush();
    return written.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
