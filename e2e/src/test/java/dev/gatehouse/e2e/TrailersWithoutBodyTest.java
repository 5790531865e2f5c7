package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.sandbox.Echo;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.Upstream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Under BUFFERED Envoy tells of a body that never comes only by its trailers; {@code wire envoy} has them sent. */
class TrailersWithoutBodyTest {
  private static final Path POLICIES = Path.of("src/test/cases/transform-late-steps/policies");

  @TempDir
  Path folder;

  @Test
  void trailers_without_a_body_are_no_way_round_a_step_that_waits_for_one() throws IOException {
    try (var upstream =
            Upstream.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), new Echo());
        var gate = Gate.open(
            Gate.Settings.of(
                POLICIES,
                folder,
                EnvoyBinary.find(System.getenv(), line -> {}),
                backend -> upstream.port()),
            (reload, wired) -> {})) {
      var address = Objects.requireNonNull(gate.endpoints().get(8080)).address();
      assertThat(TrailersOnly.post(address, "/buffered/orders")).isEqualTo(422);
      assertThat(TrailersOnly.post(address, "/duplex/orders")).isEqualTo(422);
      assertThat(upstream.take()).isEmpty();
    }
  }
}
