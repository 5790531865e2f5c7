package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.sandbox.EnvoyAdmin;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Ports;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real Envoy Gateway without Kubernetes, and the Envoy that it starts. What it reads and writes is in one folder.
 *
 * <p>So it takes resources from files, but no Service, and of policies it forgets the kind, so that no ReferenceGrant permits them anything:
 * they must call a Backend in their own namespace.
 */
final class HostGateway implements AutoCloseable {
  /** Of the gateway: xDS, Wasm, health; of its Envoy: ready. They cannot be chosen. */
  private static final List<Integer> PORTS = List.of(18_000, 18_002, 8_081, 19_003);

  private static final Duration READY_WITHIN = Duration.ofMinutes(2);

  private final Process process;
  private final Path log;
  private final EnvoyAdmin envoy;

  private HostGateway(Process process, Path log, EnvoyAdmin envoy) {
    this.process = process;
    this.log = log;
    this.envoy = envoy;
  }

  /**
   * Starts it and waits until a listener of its Envoy serves.
   *
   * @param program {@code envoy-gateway} 1.9.0
   * @param resources the folder that it reads; its EnvoyProxy asks for the Envoy of version {@link EnvoyBinary#VERSION}
   * @param work an empty folder for all else
   * @param port one of the Gateway's listeners
   */
  static HostGateway start(Path program, Path resources, Path work, int port) throws Exception {
    assertThat(PORTS)
        .as("ports that Envoy Gateway takes, whatever it is told, and that must be free")
        .allMatch(Ports::isFree);
    var envoys = work.resolve("data/envoy-versions/" + EnvoyBinary.VERSION + "/bin");
    Files.createDirectories(envoys);
    Files.createSymbolicLink(
        envoys.resolve("envoy"), EnvoyBinary.find(System.getenv(), line -> {}));
    var config = work.resolve("envoy-gateway.yaml");
    Files.writeString(config, config(resources, work));
    var log = work.resolve("envoy-gateway.log");
    var certificates =
        run(program, work, log, "certgen", "--local", "--config-home", work.resolve("config") + "");
    assertThat(certificates.waitFor()).as(() -> tail(log)).isZero();
    var process = run(program, work, log, "server", "--config-path", config.toString());
    try {
      return new HostGateway(process, log, serving(process, work, log, port));
    } catch (Throwable e) {
      stop(process);
      throw e;
    }
  }

  private static String config(Path resources, Path work) throws IOException {
    return """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: EnvoyGateway
        gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
        admin: {address: {host: 127.0.0.1, port: %3$d}}
        telemetry: {metrics: {prometheus: {disable: true}}}
        provider:
          type: Custom
          custom:
            resource: {type: File, file: {paths: ["%1$s"]}}
            infrastructure:
              type: Host
              host: {configHome: "%2$s/config", dataHome: "%2$s/data", stateHome: "%2$s/state", runtimeDir: "%2$s/run"}
        extensionApis: {enableBackend: true, enableLua: true}
        """.formatted(resources, work, Distribution.freePort());
  }

  private static Process run(Path program, Path work, Path log, String... arguments)
      throws IOException {
    var builder = new ProcessBuilder(
            Stream.concat(Stream.of(program.toString()), Stream.of(arguments)).toList())
        .directory(work.toFile())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().put("HOME", work.toString());
    return builder.start();
  }

  private static EnvoyAdmin serving(Process process, Path work, Path log, int port) {
    await().atMost(READY_WITHIN).until(() -> {
      assertThat(process.isAlive()).as(() -> "it ended:\n" + tail(log)).isTrue();
      return Distribution.status(port, "/") != 0 && !adminAddress(work).isEmpty();
    });
    var address = adminAddress(work);
    int colon = address.lastIndexOf(':');
    return new EnvoyAdmin(new InetSocketAddress(
        address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))));
  }

  /** Envoy takes any port for its admin interface and writes down which; empty while it has not. */
  private static String adminAddress(Path work) {
    try (var files = Files.walk(work.resolve("run"))) {
      var file = files.filter(path -> path.endsWith("admin-address.txt")).findFirst();
      return file.isPresent() ? Files.readString(file.get()).strip() : "";
    } catch (IOException e) {
      return "";
    }
  }

  EnvoyAdmin envoy() {
    return envoy;
  }

  /** What the gateway and its Envoy have said, the last of it. */
  String log() {
    return tail(log);
  }

  private static String tail(Path log) {
    try {
      var lines = Files.readAllLines(log);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
    } catch (IOException e) {
      return "(no log: " + e.getMessage() + ")";
    }
  }

  /** It ends its Envoy, too. */
  @Override
  public void close() {
    envoy.close();
    stop(process);
  }

  private static void stop(Process process) {
    var envoys = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    envoys.forEach(ProcessHandle::destroyForcibly);
  }
}
