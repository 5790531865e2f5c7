package com.example.tenants;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.extproc.kit.ProcessorServer;
import dev.gatehouse.sandbox.Envoy;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What README.md shows a command print, it prints: its requests through a real Envoy, configured by envoy.yaml. */
class ReadmeOnEnvoyTest {
  private static final Pattern EXAMPLE =
      Pattern.compile("```sh\n(curl .*?)```\n\n```\n(.*?)```", Pattern.DOTALL);

  private static final Ports PORTS = new Ports();
  private static final int FRONT = PORTS.free();
  private static ProcessorServer processor;
  private static Envoy envoy;

  @BeforeAll
  static void start(@TempDir Path folder) throws IOException {
    processor = ProcessorServer.of(Main.service())
        .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .drain(Duration.ZERO)
        .start();
    var admin = PORTS.free();
    var config = folder.resolve("envoy.yaml");
    Files.writeString(
        config,
        Files.readString(Path.of("envoy.yaml"))
            .replace("port_value: 9901", "port_value: " + admin)
            .replace("port_value: 10000", "port_value: " + FRONT)
            .replace("port_value: 8080", "port_value: " + PORTS.free())
            .replace("port_value: 9002", "port_value: " + processor.address().getPort()));
    var binary = EnvoyBinary.find(System.getenv(), System.err::println);
    envoy = Envoy.start(binary, config, admin, folder.resolve("envoy.log"));
  }

  @AfterAll
  static void stop() {
    envoy.close();
    processor.close();
    PORTS.close();
  }

  @TestFactory
  List<DynamicTest> the_requests_of_the_readme_are_answered_as_it_says() throws IOException {
    var examples = EXAMPLE.matcher(Files.readString(Path.of("README.md")));
    var tests = new ArrayList<DynamicTest>();
    while (examples.find()) {
      var command = examples.group(1);
      var expected = examples.group(2);
      tests.add(DynamicTest.dynamicTest(command.strip(), () -> prints(command, expected)));
    }
    assertThat(tests).hasSizeGreaterThan(2);
    return tests;
  }

  private static void prints(String command, String expected) throws Exception {
    var printed = alike(sh(command.replace("localhost:10000", "127.0.0.1:" + FRONT)));
    var lines = Stream.of(alike(expected).split("\n…\n"))
        .map(Pattern::quote)
        .collect(Collectors.joining("\n(?:.*\n)??"));
    assertThat(printed).matches(Pattern.compile(lines, Pattern.DOTALL));
    assertThat(envoy.stats("ext_proc.*(spurious_msgs_received|streams_failed)$").values())
        .as("answers that Envoy did not take")
        .containsOnly(0L);
  }

  /** What differs from run to run is not compared. */
  private static String alike(String printed) {
    return printed.replace("\r", "").replaceAll("dur=\\d+\\.\\d", "dur=N").strip();
  }

  private static String sh(String command) throws IOException, InterruptedException {
    var process =
        new ProcessBuilder("sh", "-c", command).redirectErrorStream(true).start();
    var printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(printed).isZero();
    return printed;
  }
}
