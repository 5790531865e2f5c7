package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.policy.source.Load;
import dev.gatehouse.sandbox.Envoy;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Ports;
import dev.gatehouse.wire.EnvoyConfig;
import dev.gatehouse.wire.WireSettings;
import dev.gatehouse.wire.WireSettings.Address;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Envoy takes whatever {@code wire} makes of policies, good and bad: in one file, and by watched files into a running Envoy. */
class WireValidateTest {
  private static final Path POLICIES = Path.of("src/test/resources/wire");
  private static final Path DEMO = Path.of("../deploy/demo/policies");

  @TempDir
  Path folder;

  private final Ports ports = new Ports();

  @AfterEach
  void freePorts() {
    ports.close();
  }

  static Stream<Path> policies() throws IOException {
    try (var files = Files.list(POLICIES)) {
      return Stream.concat(files.sorted().toList().stream(), Stream.of(DEMO));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("policies")
  void envoy_takes_the_static_configuration_of(Path policies) throws IOException {
    config(Load.folders(List.of(policies)), null).write(folder);

    assertThat(Envoy.validate(envoy(), folder.resolve("envoy.yaml"))).isEmpty();
  }

  @Test
  void a_running_envoy_takes_them_all_one_after_the_other() throws IOException {
    var all = policies().toList();
    var admin = ports.free();
    var first = config(Load.folders(List.of(all.getFirst())), folder.toString(), admin);
    first.write(folder);
    try (var envoy =
        Envoy.start(envoy(), folder.resolve("envoy.yaml"), admin, folder.resolve("envoy.log"))) {
      for (var policies : all.subList(1, all.size())) {
        var config = config(Load.folders(List.of(policies)), folder.toString(), admin);
        var listeners = envoy.stats("^listener_manager.lds.update_(success|rejected)$");
        var clusters = envoy.stats("^cluster_manager.cds.update_(success|rejected)$");
        config.write(folder);
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
          assertThat(envoy.stats("^listener_manager.lds.update_(success|rejected)$"))
              .as(policies + "\n" + envoy.logTail(5))
              .isNotEqualTo(listeners);
          assertThat(envoy.stats("^cluster_manager.cds.update_(success|rejected)$"))
              .as(policies + "\n" + envoy.logTail(5))
              .isNotEqualTo(clusters);
          assertThat(envoy.stats("rds\\..*update_success$").values())
              .as(policies + "\n" + envoy.logTail(5))
              .isNotEmpty()
              .allMatch(taken -> taken > 0);
        });
        assertThat(envoy.stats("update_(rejected|failure)$").values())
            .as(policies + "\n" + envoy.logTail(5))
            .containsOnly(0L);
      }
    }
  }

  private EnvoyConfig config(Load load, @Nullable String watched) {
    return config(load, watched, 9901);
  }

  private EnvoyConfig config(Load load, @Nullable String watched, int admin) {
    Map<String, Integer> listenerPorts = new HashMap<>();
    Map<Integer, Integer> moved = new HashMap<>();
    for (var gateway : load.policies().gateways()) {
      for (var listener : gateway.listeners()) {
        listenerPorts.put(
            gateway.meta().id() + "/" + listener.name(),
            moved.computeIfAbsent(listener.port(), port -> ports.free()));
      }
    }
    var service = new Address("127.0.0.1", 9);
    var settings = new WireSettings(
        service,
        service,
        service,
        new Address("127.0.0.1", admin),
        "127.0.0.1",
        listenerPorts,
        Map.of(),
        watched);
    return EnvoyConfig.of(load.policies(), settings, load.problems());
  }

  private static Path envoy() {
    return EnvoyBinary.find(System.getenv(), line -> {});
  }
}
