package dev.gatehouse.server.log;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.EncoderBase;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.io.Console;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;
import org.slf4j.event.Level;

/**
 * The one place that decides how a process logs: to stderr, through a {@link LogQueue}, gRPC's java.util.logging included.
 * Logback finds this class by its service file and starts with INFO; {@link #configure} says otherwise.
 */
public final class Logs extends ContextAwareBase implements Configurator {
  private static final String QUEUE = "queue";

  /** How lines look. */
  public enum Format {
    /** Text on a terminal, else JSON. */
    AUTO,
    JSON,
    TEXT
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    apply(context, Level.INFO, Format.AUTO);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /**
   * Replaces what was configured before.
   *
   * @param level of Gatehouse's own loggers; libraries never log below INFO, since Netty and gRPC would log every frame
   */
  public static void configure(Level level, Format format) {
    apply((LoggerContext) LoggerFactory.getILoggerFactory(), level, format);
  }

  /** Waits until what was logged so far is written, at most a second. */
  public static void flush() {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    if (context.getLogger(Logger.ROOT_LOGGER_NAME).getAppender(QUEUE) instanceof LogQueue queue) {
      queue.flush(Duration.ofSeconds(1));
    }
  }

  private static void apply(LoggerContext context, Level level, Format format) {
    context.reset();
    var queue = new LogQueue(console(context, encoder(context, format)));
    queue.setContext(context);
    queue.setName(QUEUE);
    queue.start();
    var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.addAppender(queue);
    root.setLevel(logback(level.toInt() > Level.INFO.toInt() ? level : Level.INFO));
    context.getLogger("dev.gatehouse").setLevel(logback(level));
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
  }

  private static ConsoleAppender<ILoggingEvent> console(
      LoggerContext context, EncoderBase<ILoggingEvent> encoder) {
    var console = new ConsoleAppender<ILoggingEvent>();
    console.setContext(context);
    console.setTarget("System.err");
    console.setEncoder(encoder);
    console.start();
    return console;
  }

  private static EncoderBase<ILoggingEvent> encoder(LoggerContext context, Format format) {
    EncoderBase<ILoggingEvent> encoder = switch (format) {
      case JSON -> new JsonLines();
      case TEXT -> new TextLines();
      case AUTO -> onTerminal() ? new TextLines() : new JsonLines();
    };
    encoder.setContext(context);
    encoder.start();
    return encoder;
  }

  private static boolean onTerminal() {
    return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }

  private static ch.qos.logback.classic.Level logback(Level level) {
    return ch.qos.logback.classic.Level.convertAnSLF4JLevel(level);
  }
}
