package dev.gatehouse.cli;

import dev.gatehouse.server.ServerSettings;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
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
          "A connection is asked to go after this time, so that a new replica gets its share."
              + " Default: ${DEFAULT-VALUE}.")
  Duration maxConnectionAge = Duration.ofMinutes(30);

  @Option(
      names = "--drain",
      paramLabel = "TIME",
      defaultValue = "5s",
      converter = Time.class,
      description = "How long SIGTERM keeps answering while unready, before it stops. Default:"
          + " ${DEFAULT-VALUE}.")
  Duration drain = Duration.ofSeconds(5);

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
        usual.maxConnectionAgeGrace(),
        drain,
        drain.plus(Duration.ofSeconds(15)));
  }
}
