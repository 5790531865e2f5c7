package dev.gatehouse.server.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;

/** The line that says that lines were lost. */
final class Lost {
  private Lost() {}

  /** @param after the event that was written last, whose time it takes */
  static ILoggingEvent lines(long count, ILoggingEvent after) {
    var event = new LoggingEvent();
    event.setLoggerName(LogQueue.class.getName());
    event.setLevel(Level.WARN);
    event.setThreadName(Thread.currentThread().getName());
    event.setInstant(after.getInstant());
    event.setMessage(
        count + " log lines were dropped because they came faster than they could be written");
    return event;
  }
}
