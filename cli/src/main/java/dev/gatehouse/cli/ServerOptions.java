package dev.gatehouse.cli;

import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.ServerSettings;
import dev.gatehouse.server.log.DecisionLog;
import dev.gatehouse.server.log.Logs;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;
import picocli.CommandLine.Option;

/** How a process serves. */
final class ServerOptions {
  @Option(
      names = "--event-loops",
      paramLabel = "N",
      defaultValue = "0",
      description = "Event loops; 0 means one a processor. Default: ${DEFAULT-VALUE}.")
  int loops;

  @Option(
      names = "--max-concurrent-calls",
      paramLabel = "N",
      defaultValue = "10000",
      description = "Calls in flight over all connections of a listener; more are answered"
          + " RESOURCE_EXHAUSTED. Default: ${DEFAULT-VALUE}.")
  int maxConcurrentCalls;

  @Option(
      names = "--max-connection-age",
      paramLabel = "TIME",
      defaultValue = "30m",
      converter = Time.class,
      description =
          "A connection is asked to go after this time, so that a new replica gets its share; 0 is"
              + " never. Default: ${DEFAULT-VALUE}.")
  Duration maxConnectionAge = Duration.ofMinutes(30);

  @Option(
      names = "--max-connection-age-grace",
      paramLabel = "TIME",
      defaultValue = "1m",
      converter = Time.class,
      description = "How long its calls may then still take before they are cut off."
          + " Default: ${DEFAULT-VALUE}.")
  Duration maxConnectionAgeGrace = Duration.ofMinutes(1);

  @Option(
      names = "--drain",
      paramLabel = "TIME",
      defaultValue = "5s",
      converter = Time.class,
      description = "How long SIGTERM keeps answering while unready, before it stops. Default:"
          + " ${DEFAULT-VALUE}.")
  Duration drain = Duration.ofSeconds(5);

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      defaultValue = "info",
      description =
          "error, warn, info, debug or trace. LOG_LEVEL is read too. Default: ${DEFAULT-VALUE}.")
  Level logLevel = Level.INFO;

  @Option(
      names = "--log-format",
      paramLabel = "FORMAT",
      defaultValue = "auto",
      description =
          "json, text, or auto: text on a terminal, else JSON. Default: ${DEFAULT-VALUE}.")
  Logs.Format logFormat = Logs.Format.AUTO;

  enum Decisions {
    OFF,
    DENIED,
    ALL
  }

  @Option(
      names = "--decision-log",
      paramLabel = "WHICH",
      defaultValue = "off",
      description =
          "Log decisions: off, denied (what did not pass as it was asked), or all. Default: ${DEFAULT-VALUE}.")
  Decisions decisions = Decisions.OFF;

  void configureLogs() {
    Logs.configure(logLevel, logFormat);
  }

  Optional<DecisionListener> decisionLog() {
    return switch (decisions) {
      case OFF -> Optional.empty();
      case DENIED -> Optional.of(new DecisionLog(DecisionLog.What.DENIED));
      case ALL -> Optional.of(new DecisionLog(DecisionLog.What.ALL));
    };
  }

  ServerSettings settings(
      List<ServerSettings.Listener> listeners, @Nullable InetSocketAddress admin) {
    var usual = ServerSettings.of(listeners, admin);
    return new ServerSettings(
        usual.listeners(),
        usual.admin(),
        loops,
        maxConcurrentCalls,
        usual.maxMessageBytes(),
        usual.maxHeaderBytes(),
        maxConnectionAge,
        maxConnectionAgeGrace,
        drain,
        drain.plus(Duration.ofSeconds(15)));
  }
}
