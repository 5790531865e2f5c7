package dev.gatehouse.ratelimit.redis;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the log says of servers, once a change: each event loop has its own connection, and all of them notice. */
final class Outages {
  private static final Logger LOG = LoggerFactory.getLogger(Outages.class);
  private static final long COMPLAIN_EVERY = Duration.ofMinutes(1).toNanos();

  private enum State {
    REACHABLE,
    UNREACHABLE,
    SILENT
  }

  private final Map<String, State> states = new ConcurrentHashMap<>();
  private volatile long complained = System.nanoTime() - COMPLAIN_EVERY;

  void reachable(String server) {
    if (states.put(server, State.REACHABLE) != State.REACHABLE) {
      LOG.info("connected to Redis at {}", server);
    }
  }

  /** @param failure null when a connection that stood broke */
  void unreachable(String server, @Nullable Throwable failure) {
    if (states.put(server, State.UNREACHABLE) != State.UNREACHABLE) {
      LOG.warn(
          "Redis at {} cannot be reached; until it can, what is counted there cannot be decided: {}",
          server,
          failure == null ? "the connection broke" : reason(failure));
    }
  }

  void silent(String server) {
    if (states.put(server, State.SILENT) != State.SILENT) {
      LOG.warn(
          "Redis at {} does not answer in time; until it does, what is counted there cannot be decided",
          server);
    }
  }

  /** A server's error, which tells what its administrator has to mend. */
  void refused(String server, String error) {
    long now = System.nanoTime();
    if (now - complained >= COMPLAIN_EVERY) {
      complained = now;
      LOG.warn("Redis at {} refuses: {}", server, error);
    }
  }

  void forget(String server) {
    states.remove(server);
  }

  /** In the words of whoever found it. */
  static String reason(Throwable failure) {
    var cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }
}
