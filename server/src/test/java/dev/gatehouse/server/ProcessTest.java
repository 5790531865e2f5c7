package dev.gatehouse.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What only a process of its own shows: signals. */
class ProcessTest {
  @Test
  void a_fresh_process_answers_and_drains_on_sigterm() throws Exception {
    var process = new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName())
        .redirectErrorStream(true)
        .start();
    try (var output = process.inputReader();
        var client = Running.of(Echo.named("warms the client"))) {
      client.call("warms the client", "");
      var port = Integer.parseInt(lineWith(output, "listens on ").replaceAll(".* ", ""));
      var channel = client.channel(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      assertThat(Running.call(channel, "a", "the first call")).isNotNull();

      assertThat(process.toHandle().destroy())
          .as("SIGTERM")
          .isTrue(); // Process.destroy closes the output
      assertThat(lineWith(output, "draining")).contains("not ready any more");
      assertThat(Running.call(channel, "a", "while draining")).isNotNull();
      assertThat(lineWith(output, "stopped after")).contains(" ms");
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as("ended by SIGTERM").isEqualTo(128 + 15);
    } finally {
      process.destroyForcibly();
    }
  }

  private static String lineWith(BufferedReader output, String text) throws IOException {
    var seen = new StringBuilder();
    for (var line = output.readLine(); line != null; line = output.readLine()) {
      if (line.contains(text)) {
        return line;
      }
      seen.append(line).append('\n');
    }
    throw new AssertionError("no line with \"" + text + "\" in:\n" + seen);
  }

  /** The program that the test starts. */
  static final class Main {
    public static void main(String[] args) {
      var settings = ServerSettings.of(
              List.of(new ServerSettings.Listener(Running.ANY, null, List.of("a"))), null)
          .withDrain(Duration.ofMillis(500));
      var loops = EventLoops.start(0);
      var server = GatehouseServer.start(
          settings,
          List.of(Echo.named("a")),
          new ServiceContext(
              loops,
              new io.prometheus.metrics.model.registry.PrometheusRegistry(),
              DecisionListener.NONE,
              InstantSource.system()),
          () -> "{}");
      Shutdown.closesOnExit(server);
      System.out.println("listens on " + server.address("a").getPort());
      Thread.currentThread().setName("waits for SIGTERM");
      java.util.concurrent.locks.LockSupport.park();
    }
  }
}
