package dev.gatehouse.extproc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.transform.Transforming;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.server.ServerSettings;
import dev.gatehouse.server.ServiceContext;
import dev.gatehouse.testkit.EnvoyStream;
import dev.gatehouse.testkit.EnvoyStream.StreamFailed;
import dev.gatehouse.testkit.GrpcPeer;
import dev.gatehouse.testkit.LoopGuard;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The service as it runs: a real server, real connections, policies from a folder. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ExtProcServiceTest {
  private static final String CARD = "{\"card\":\"4111111111111111\"}";
  private static final String POLICY = """
      response:
      - headers: {remove: [server], set: {x-version: "1"}}
        json: [{op: mask, at: /card, keepLast: 4}]
      """;
  private static final String OTHER = """
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: broken, namespace: shop}
      spec:
        parentRefs: [{name: web}]
        rules: [{name: all, matches: [{path: {type: PathPrefix, value: /broken}}], backendRefs: [{name: shop, port: 80}]}]
      ---
      apiVersion: gatehouse.dev/v1alpha1
      kind: TransformPolicy
      metadata: {name: broken, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: broken}]
        request: [{when: "request.nosuch == 1", headers: {remove: [x-a]}}]
      """;

  private final Queue<Decision> decisions = new ConcurrentLinkedQueue<>();
  private final EventLoops loops = EventLoops.start(1);
  private Path folder;
  private PolicySource source;
  private ExtProc service;
  private GatehouseServer server;
  private ManagedChannel channel;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    this.folder = folder;
    Files.writeString(folder.resolve("shop.yaml"), Transforming.yaml(POLICY) + OTHER);
    var context =
        new ServiceContext(loops, new PrometheusRegistry(), decisions::add, InstantSource.system());
    source = PolicySource.folders(List.of(folder), false);
    service = ExtProc.create(source, ExtProcSettings.defaults(), context);
    source.start();
    var any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    var listener = new ServerSettings.Listener(any, null, List.of("ext-proc"));
    var settings = ServerSettings.of(List.of(listener), null).withDrain(Duration.ZERO);
    server = GatehouseServer.start(settings, List.of(service), context, () -> "{}");
    var address = server.address("ext-proc");
    channel = NettyChannelBuilder.forAddress(address).usePlaintext().build();
  }

  @AfterAll
  void stop() {
    channel.shutdownNow();
    server.close();
    service.close();
    source.close();
    loops.close();
  }

  @BeforeEach
  void forget() {
    decisions.clear();
  }

  @Test
  void a_bound_stream_is_transformed_and_decided() {
    try (var peer = peer("shop/web/http", "HTTPRoute/shop/orders/list")) {
      var envoy = response(peer).responseBody(CARD);
      assertThat(envoy.client().body()).isEqualTo("{\"card\":\"************1111\"}");
      assertThat(envoy.client().values("server")).isEmpty();
    }
    var decision = decision(heard -> heard.requestId().equals("r-1"));
    assertThat(decision.outcome()).isEqualTo(Outcome.CHANGED);
    assertThat(decision.detail()).isEqualTo("-server, x-version=, masked /card");
    assertThat(decision.policy()).isEqualTo("shop/orders");
    assertThat(decision.nanos()).isPositive();
  }

  @Test
  void the_gateways_route_metadata_finds_the_policy_where_there_is_no_binding() {
    try (var peer = new GrpcPeer(channel, Map.of())) {
      var envoy = new EnvoyStream(peer)
          .bodies(BodySendMode.NONE, BodySendMode.BUFFERED)
          .attribute("xds.route_metadata", """
              filter_metadata { key: "envoy-gateway" value { fields { key: "resources" value { list_value { values { struct_value { \
              fields { key: "kind" value { string_value: "HTTPRoute" } } fields { key: "name" value { string_value: "orders" } } \
              fields { key: "namespace" value { string_value: "shop" } } } } } } } } }""")
          .requestHeaders(true, ":method", "GET", ":path", "/")
          .responseHeaders(false, ":status", "200")
          .responseBody(CARD);
      assertThat(envoy.client().body()).isEqualTo("{\"card\":\"************1111\"}");
    }
  }

  @Test
  void a_stream_without_a_binding_passes() {
    try (var peer = new GrpcPeer(channel, Map.of())) {
      var envoy = response(peer).responseBody(CARD);
      assertThat(envoy.client().body()).isEqualTo(CARD);
      assertThat(envoy.client().values("server")).containsExactly("x");
      assertThat(peer.finish().isOk()).isTrue();
    }
  }

  @Test
  void a_binding_that_resolves_to_nothing_fails_the_stream() {
    try (var peer = peer("shop/web/http", "HTTPRoute/shop/gone/list")) {
      assertThatThrownBy(() -> response(peer))
          .isInstanceOf(StreamFailed.class)
          .hasMessageContaining("INTERNAL");
    }
    decision(heard -> heard.reason().equals("unresolved"));
  }

  @Test
  void a_policy_that_does_not_compile_fails_its_own_streams_only() {
    try (var peer = peer("shop/web/http", "HTTPRoute/shop/broken/all")) {
      assertThatThrownBy(() -> response(peer))
          .isInstanceOf(StreamFailed.class)
          .hasMessageContaining("shop/broken");
    }
    decision(heard -> heard.reason().equals("policy-rejected"));
  }

  @Test
  void a_stream_keeps_the_plan_that_it_began_with() throws IOException {
    try (var before = peer("shop/web/http", "HTTPRoute/shop/orders/list")) {
      var old = new EnvoyStream(before)
          .bodies(BodySendMode.NONE, BodySendMode.BUFFERED)
          .requestHeaders(true, ":method", "GET", ":path", "/");
      Files.writeString(
          folder.resolve("shop.yaml"), Transforming.yaml(POLICY.replace("\"1\"", "\"2\"")) + OTHER);
      await().untilAsserted(() -> assertThat(version()).isEqualTo("2"));
      assertThat(old.responseHeaders(false, ":status", "200").client().values("x-version"))
          .containsExactly("1");
    } finally {
      Files.writeString(folder.resolve("shop.yaml"), Transforming.yaml(POLICY) + OTHER);
      await().untilAsserted(() -> assertThat(version()).isEqualTo("1"));
    }
  }

  @Test
  void bodies_small_and_large_hold_no_event_loop() throws Exception {
    var large = CARD.replace("}", ",\"pad\":\"" + "x".repeat(1 << 20) + "\"}");
    mask(large);
    try (var guard = LoopGuard.watch(loops.all())) {
      for (var i = 0; i < 20; i++) {
        assertThat(mask(CARD)).isEqualTo("{\"card\":\"************1111\"}");
        assertThat(mask(large))
            .startsWith("{\"card\":\"************1111\"")
            .hasSize(large.length());
      }
      assertThat(guard.violations()).isEmpty();
    }
  }

  /** The one that is looked for, once it is heard: a stream of an earlier test may be heard of late. */
  private Decision decision(Predicate<Decision> wanted) {
    return await()
        .until(() -> decisions.stream().filter(wanted).findFirst(), Optional::isPresent)
        .orElseThrow();
  }

  private String mask(String body) {
    try (var peer = peer("shop/web/http", "HTTPRoute/shop/orders/list")) {
      return response(peer)
          .responseBody(ByteString.copyFromUtf8(body), true)
          .client()
          .body();
    }
  }

  private String version() {
    try (var peer = peer("shop/web/http", "HTTPRoute/shop/orders/list")) {
      return response(peer).client().values("x-version").getFirst();
    }
  }

  private EnvoyStream response(GrpcPeer peer) {
    return new EnvoyStream(peer)
        .bodies(BodySendMode.NONE, BodySendMode.BUFFERED)
        .requestHeaders(true, ":method", "GET", ":path", "/orders?secret=1", "x-request-id", "r-1")
        .responseHeaders(false, ":status", "200", "server", "x");
  }

  private GrpcPeer peer(String listener, String route) {
    return new GrpcPeer(
        channel, Map.of("x-gatehouse-listener", listener, "x-gatehouse-route", route));
  }
}
