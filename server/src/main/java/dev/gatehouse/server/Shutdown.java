package dev.gatehouse.server;

import dev.gatehouse.server.log.Logs;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends a process in order when it is asked to: SIGTERM, SIGINT, or {@code System.exit}. */
public final class Shutdown {
  private static final Logger LOG = LoggerFactory.getLogger(Shutdown.class);

  private Shutdown() {}

  /** @param process is closed, by a thread of its own, before the JVM ends; the last log lines are written after */
  public static void closesOnExit(AutoCloseable process) {
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform().name("gatehouse-stop").unstarted(() -> close(process)));
  }

  /** Does not return but when interrupted: event loops alone keep no JVM alive. */
  public static void untilTheEnd() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(AutoCloseable process) {
    try {
      process.close();
    } catch (Exception e) {
      LOG.error("the stop was not clean", e);
    } finally {
      Logs.flush();
    }
  }
}
