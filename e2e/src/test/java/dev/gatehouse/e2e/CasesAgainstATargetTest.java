package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.Ports;
import dev.gatehouse.sandbox.cases.CaseRunner;
import dev.gatehouse.sandbox.cases.Target;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same runner against a gateway that somebody else set up: here one with the demo's policies, whose keys it trusts. */
final class CasesAgainstATargetTest {
  private static final Path DEMO = Path.of("../deploy/demo/policies");

  @TempDir
  Path work;

  @Test
  void a_case_sees_the_upstream_and_envoys_counters_where_it_is_told_of_them() throws IOException {
    var file = write("""
        requests:
        - path: /public
          headers: {x-user: root}
          expect:
            status: 200
            upstream: {path: /public, headers: {x-user: null}}
            envoy: {'ext_proc.*spurious_msgs_received': 0, 'ext_proc.*streams_started': 1}
        - path: /orders
          token: {iss: "https://issuer.shop.example", aud: shop, sub: ada, scope: "orders:read"}
          reply: {json: {orders: [{card: {number: "4111111111111111"}}]}}
          expect: {status: 200, body: {at: {/orders/0/card/number: "************1111"}}, upstream: {headers: {x-user: ada}}}
        """);

    try (var ports = new Ports()) {
      var upstream = loopback(ports.free());
      try (var gate = gate(upstream)) {
        var admin = gate.envoy().admin().address().split(":");
        var adminAddress = loopback(Integer.parseInt(admin[1]));
        assertThat(run(file, gate, upstream, adminAddress)).isEmpty();
      }
    }
  }

  @Test
  void what_cannot_be_checked_fails_and_says_what_is_missing() throws IOException {
    var file = write("""
        requests:
        - {path: /orders, expect: {status: 401, upstream: {nothing: true}}}
        - {path: /orders, expect: {status: 401, envoy: {spurious: 0}}}
        - {path: /orders, expect: {status: 200}}
        - {edit: {a.yaml: null}, expect: {inForce: true}}
        """);

    try (var ports = new Ports();
        var gate = gate(loopback(ports.free()))) {
      assertThat(run(file, gate, null, null))
          .contains("not checked: the upstream is not ours (give --upstream-listen)")
          .contains("not checked: Envoy's counters are not known (give --envoy-admin)")
          .contains("status: expected 200, got 401")
          .contains("the policies of a target cannot be changed from here");
    }
  }

  private static String run(
      Path folder,
      Gate gate,
      @Nullable InetSocketAddress upstream,
      @Nullable InetSocketAddress admin) {
    var endpoint = gate.endpoints().values().iterator().next();
    try (var runner = CaseRunner.against(new Target(endpoint.address(), false, upstream, admin))) {
      return runner.run("target", folder).wrong();
    }
  }

  private Gate gate(InetSocketAddress upstream) {
    var envoy = EnvoyBinary.find(System.getenv(), System.err::println);
    return Gate.open(
        Gate.Settings.of(DEMO, work, envoy, backend -> upstream.getPort()),
        (reload, problems) -> {});
  }

  private static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private Path write(String yaml) throws IOException {
    var folder = Files.createDirectories(work.resolve("case"));
    Files.writeString(folder.resolve("requests.yaml"), yaml);
    return folder;
  }
}
