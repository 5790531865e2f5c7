package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.authz.jwt.Issuer;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.server.ServerSettings;
import dev.gatehouse.server.ServiceContext;
import dev.gatehouse.testkit.FakeClock;
import dev.gatehouse.testkit.LoopGuard;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.jsonwebtoken.Jwts;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Over gRPC, in the server that runs it, told by a folder. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ExtAuthzServerTest {
  private static final String ON_PUBLIC =
      Gate.policy(Gate.jwt("")).replace("name: orders", "name: public");

  private Path folder;
  private final List<Decision> heard = new CopyOnWriteArrayList<>();
  private EventLoops loops;
  private PolicySource policies;
  private ExtAuthz service;
  private GatehouseServer server;
  private ManagedChannel channel;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    this.folder = folder;
    write(Gate.policy(Gate.jwt("")));
    loops = EventLoops.start(1);
    var context =
        new ServiceContext(loops, new PrometheusRegistry(), heard::add, new FakeClock(Issuer.NOW));
    policies = PolicySource.folders(List.of(folder), true);
    service = ExtAuthz.create(policies, ExtAuthzSettings.defaults(), context);
    policies.start();
    var listener = new ServerSettings.Listener(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, List.of("ext-authz"));
    server = GatehouseServer.start(
        ServerSettings.of(List.of(listener), null).withDrain(Duration.ZERO),
        List.of(service),
        context,
        () -> "{}");
    channel = NettyChannelBuilder.forAddress(server.address("ext-authz"))
        .usePlaintext()
        .build();
    heard.clear(); // the warm-up's
    assertThat(status(Call.get("/orders").bearer(Issuer.token()).request())).isEqualTo(200);
    await().until(() -> !heard.isEmpty());
  }

  @AfterAll
  void stop() throws InterruptedException {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    server.close();
    service.close();
    policies.close();
    loops.close();
  }

  @Test
  void every_kind_of_answer_arrives_and_no_loop_is_held() {
    try (var guard = LoopGuard.watch(loops.all())) {
      for (int i = 0; i < 20; i++) {
        var orders = Call.get("/orders");
        assertThat(status(orders.bearer(Issuer.token("n", i)).request())).isEqualTo(200);
        assertThat(status(orders.bearer(Issuer.token("n", i)).joined().request()))
            .isEqualTo(200);
        assertThat(status(orders.request())).isEqualTo(401);
        assertThat(status(orders.bearer("x".repeat(1 << 20)).request())).isEqualTo(401);
        assertThat(status(orders.bearer(Issuer.token(Jwts.SIG.ES256)).request()))
            .isEqualTo(401);
        assertThat(status(orders.bound("a", "b").request())).isEqualTo(403);
        assertThat(status(CheckRequest.getDefaultInstance())).isEqualTo(403);
      }
      assertThat(guard.violations()).isEmpty();
    }
  }

  @Test
  void an_edit_takes_effect_and_a_bad_one_does_not() throws IOException {
    var request =
        Call.get("/public").bound("shop/web/http", "HTTPRoute/shop/public/all").request();
    var orders = Gate.policy(Gate.jwt(""));
    assertThat(status(request)).isEqualTo(200);
    write(orders + "---\n" + ON_PUBLIC);
    await().until(() -> {
      policies.poll();
      return status(request) == 401;
    });
    write(orders + "---\n" + ON_PUBLIC.replace("{\"keys\"", "{\"cakes\""));
    policies.poll();
    assertThat(status(request)).isEqualTo(401);
    write(orders);
    await().until(() -> {
      policies.poll();
      return status(request) == 200;
    });
  }

  private void write(String policy) throws IOException {
    Files.writeString(folder.resolve("policies.yaml"), Gate.ROUTES + policy);
  }

  private int status(CheckRequest request) {
    return Gate.status(AuthorizationGrpc.newBlockingStub(channel)
        .withDeadlineAfter(Duration.ofSeconds(10))
        .check(request));
  }
}
