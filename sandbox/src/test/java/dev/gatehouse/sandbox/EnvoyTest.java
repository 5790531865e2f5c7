package dev.gatehouse.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a real Envoy. */
final class EnvoyTest {
  private static final Path BINARY = EnvoyBinary.find(System.getenv(), line -> {});

  @TempDir
  Path folder;

  @Test
  void it_is_ready_counts_and_ends() throws IOException {
    try (var ports = new Ports()) {
      var admin = ports.free();
      var envoy = Envoy.start(BINARY, config(admin), admin, folder.resolve("envoy.log"));

      assertThat(envoy.stats("^server\\.live$")).containsEntry("server.live", 1L);
      assertThat(ProcessHandle.of(envoy.pid()).flatMap(p -> p.info().command()))
          .as("the process is Envoy itself, not a shell around it")
          .hasValueSatisfying(command -> assertThat(command).endsWith("envoy"));

      envoy.close();
      assertThat(envoy.alive()).isFalse();
    }
  }

  @Test
  void a_configuration_that_envoy_refuses_is_quoted() throws IOException {
    var config = Files.writeString(folder.resolve("bad.yaml"), "no_such_field: 1\n");

    assertThatThrownBy(() -> Envoy.start(BINARY, config, 1, folder.resolve("envoy.log")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no_such_field");
    assertThat(Envoy.validate(BINARY, config)).contains("no_such_field");
  }

  @Test
  void it_ends_when_the_process_that_started_it_is_killed() throws Exception {
    try (var ports = new Ports()) {
      var admin = ports.free();
      var pidFile = folder.resolve("pid");
      var parent = new ProcessBuilder(
              ProcessHandle.current().info().command().orElseThrow(),
              "-cp",
              System.getProperty("java.class.path"),
              Parent.class.getName(),
              BINARY.toString(),
              config(admin).toString(),
              Integer.toString(admin),
              folder.resolve("envoy.log").toString(),
              pidFile.toString())
          .inheritIO()
          .start();
      await().atMost(Duration.ofSeconds(20)).until(() -> Files.exists(pidFile));
      var envoy = ProcessHandle.of(Long.parseLong(Files.readString(pidFile))).orElseThrow();
      assertThat(envoy.isAlive()).isTrue();

      parent.destroyForcibly();

      await().atMost(Duration.ofSeconds(10)).until(() -> !envoy.isAlive());
    }
  }

  /** A JVM that starts an Envoy and stays. */
  static final class Parent {
    public static void main(String[] args) throws Exception {
      var envoy = Envoy.start(
          Path.of(args[0]), Path.of(args[1]), Integer.parseInt(args[2]), Path.of(args[3]));
      var pid = Path.of(args[4]);
      var part = Files.writeString(pid.resolveSibling("pid.part"), Long.toString(envoy.pid()));
      Files.move(part, pid);
      Thread.currentThread().join();
    }
  }

  private Path config(int admin) throws IOException {
    return Files.writeString(
        folder.resolve("envoy.yaml"),
        "admin: {address: {socket_address: {address: 127.0.0.1, port_value: " + admin + "}}}\n");
  }
}
