package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.e2e.raw.RawClient;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.sandbox.Echo;
import dev.gatehouse.sandbox.Envoy;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Field;
import dev.gatehouse.sandbox.Ports;
import dev.gatehouse.sandbox.RawHttp;
import dev.gatehouse.sandbox.Upstream;
import dev.gatehouse.wire.EnvoyConfig;
import dev.gatehouse.wire.WireSettings;
import dev.gatehouse.wire.WireSettings.Address;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code wire} promises on its own, on a real Envoy whose three services are all gone. */
class WireOnEnvoyTest {
  private static final String SHOP = ShopYaml.GATEWAY
      + ShopYaml.route("open", "{path: {value: /open}}")
      + ShopYaml.route("orders", "{path: {value: /orders}, method: GET}");

  private static final String GUARD = """
      ---
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: SecurityPolicy
      metadata: {name: orders, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
        cors: {allowOrigins: ["https://*.shop.example"], allowMethods: [GET], allowHeaders: [authorization]}
        jwt:
          providers:
          - name: corp
            issuer: https://idp.example
            remoteJWKS: {uri: "https://idp.example/jwks"}
            claimToHeaders: [{claim: sub, header: x-user}]
      """;

  @TempDir
  Path folder;

  private final Ports ports = new Ports();
  private final int listener = ports.free();
  private final int admin = ports.free();
  private final int nobody = ports.free();
  private Upstream upstream;
  private Envoy envoy;

  @BeforeEach
  void startWithTheShop() throws IOException {
    upstream =
        Upstream.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), new Echo());
    put(SHOP);
    envoy = Envoy.start(
        EnvoyBinary.find(System.getenv(), line -> {}),
        folder.resolve("envoy.yaml"),
        admin,
        folder.resolve("envoy.log"));
  }

  @AfterEach
  void stop() {
    envoy.close();
    upstream.close();
    ports.close();
  }

  @Test
  void an_edit_takes_effect_without_a_restart() throws IOException {
    assertThat(get("/open").status()).isEqualTo(200);
    assertThat(get("/new").status()).isEqualTo(404);

    put(SHOP.replace("name: up}", "name: renamed}")
        .replace("metadata: {name: up,", "metadata: {name: renamed,")
        .replace("value: /open", "value: /new"));

    awaitStatus("/new", 200);
    assertThat(get("/open").status()).isEqualTo(404);
    assertThat(envoy.stats("update_(rejected|failure)$").values()).containsOnly(0L);
  }

  @Test
  void what_was_asked_for_during_an_edit_is_never_answered_by_a_gap() throws IOException {
    var other = SHOP.replace("name: up}", "name: renamed}")
        .replace("metadata: {name: up,", "metadata: {name: renamed,");
    var statuses = new ArrayList<Integer>();
    for (int edit = 0; edit < 6; edit++) {
      put(edit % 2 == 0 ? other : SHOP);
      for (int i = 0; i < 20; i++) {
        statuses.add(get("/open").status());
      }
    }
    assertThat(statuses).containsOnly(200);
  }

  @Test
  void
      a_header_that_a_policy_owns_is_removed_on_open_routes_and_on_connections_that_were_open_before()
          throws IOException {
    try (var client = RawClient.to(listener)) {
      assertThat(open(client, "x-user: evil")).contains("evil");

      put(SHOP + GUARD);

      await().until(() -> !open(client, "x-user: evil").contains("evil"));
      assertThat(open(client, "X-USER: evil")).doesNotContain("evil");
    }
    await().until(() -> get("/open", new Field("x_user", "evil")).status() == 400);
  }

  /** What the upstream saw of a request, on a connection that stays open. */
  private static String open(RawClient client, String field) throws IOException {
    client.out().head("GET /open HTTP/1.1\r\nhost: shop.example", field);
    return client.answer().text();
  }

  @Test
  void a_guarded_route_answers_503_when_ext_authz_is_gone_and_an_open_one_as_ever()
      throws IOException {
    put(SHOP + GUARD);
    awaitStatus("/orders", 503);
    upstream.take();
    assertThat(get("/orders").status()).isEqualTo(503);
    assertThat(get("/open").status()).isEqualTo(200);
    assertThat(get("/none").status()).isEqualTo(404);
    assertThat(upstream.take()).noneMatch(seen -> seen.path().startsWith("/orders"));
  }

  @Test
  void what_a_rate_limit_policy_wants_denied_without_its_counters_is_denied_without_the_service()
      throws IOException {
    put(SHOP + rateLimit("orders", "Deny") + rateLimit("open", "Allow"));
    awaitStatus("/orders", 503);
    assertThat(get("/open").status()).isEqualTo(200);
  }

  /** Envoy's two workers take an edit one after the other; that both have is seen by many answers in a row. */
  private void awaitStatus(String path, int status) {
    await().until(() -> {
      for (int i = 0; i < 20; i++) {
        if (get(path).status() != status) {
          return false;
        }
      }
      return true;
    });
  }

  private static String rateLimit(String route, String onUnavailable) {
    return """
        ---
        apiVersion: gatehouse.dev/v1alpha1
        kind: RateLimitPolicy
        metadata: {name: %1$s, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: %1$s}]
          rules: [{limit: {requests: 5, unit: Hour}, onUnavailable: %2$s}]
        """.formatted(route, onUnavailable);
  }

  @Test
  void a_call_that_no_service_has_seen_is_tried_once_more() throws IOException {
    put(SHOP + GUARD + ShopYaml.route("counted", "{path: {value: /counted}}") + """
        ---
        apiVersion: gatehouse.dev/v1alpha1
        kind: TransformPolicy
        metadata: {name: open, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: open}]
          request: [{headers: {remove: [x-internal]}}]
        ---
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: BackendTrafficPolicy
        metadata: {name: counted, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: counted}]
          rateLimit: {global: {rules: [{limit: {requests: 5, unit: Hour}}]}}
        """);
    awaitStatus("/orders", 503);
    assertThat(get("/open").status()).as("ext-proc is gone, so closed").isEqualTo(500);
    assertThat(get("/counted").status()).as("ratelimit is gone, so open").isEqualTo(200);
    await()
        .untilAsserted(() -> assertThat(envoy
                .stats("^cluster\\.(ext-authz|ext-proc|ratelimit)\\.upstream_rq_retry$")
                .values())
            .hasSize(3)
            .allMatch(retries -> retries > 0));
  }

  @Test
  void a_preflight_asks_nobody_and_a_foreign_origin_gets_no_permission() throws IOException {
    put(SHOP + GUARD);
    awaitStatus("/orders", 503);

    var allowed = preflight("https://www.shop.example");
    assertThat(allowed.status()).isEqualTo(200);
    assertThat(allowed.header("access-control-allow-origin"))
        .containsExactly("https://www.shop.example");
    assertThat(allowed.header("access-control-allow-methods")).containsExactly("GET");

    for (var foreign : List.of("https://shop.example.evil.com", "https://evil.example", "null")) {
      assertThat(preflight(foreign).header("access-control-allow-origin"))
          .as(foreign)
          .isEmpty();
    }
    assertThat(get("/orders", new Field("origin", "https://www.shop.example"))
            .header("access-control-allow-origin"))
        .as("so that the page's script can read why it was refused")
        .containsExactly("https://www.shop.example");
    assertThat(upstream.take()).noneMatch(seen -> seen.method().equals("OPTIONS"));
  }

  @Test
  void a_route_whose_bodies_are_buffered_is_not_upgraded() throws IOException {
    var upgrade = List.of(new Field("connection", "upgrade"), new Field("upgrade", "websocket"));
    assertThat(get("/open", upgrade.toArray(Field[]::new)).status())
        .as("the upstream decides, and it speaks no WebSocket")
        .isEqualTo(200);

    put(SHOP + """
        ---
        apiVersion: gatehouse.dev/v1alpha1
        kind: TransformPolicy
        metadata: {name: open, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: open}]
          request: [{json: [{op: remove, at: /x}]}]
        """);

    await().until(() -> get("/open", upgrade.toArray(Field[]::new)).status() == 403);
  }

  private RawHttp.Answer preflight(String origin) throws IOException {
    return send(
        "OPTIONS",
        "/orders",
        new Field("origin", origin),
        new Field("access-control-request-method", "GET"));
  }

  private RawHttp.Answer get(String path, Field... fields) throws IOException {
    return send("GET", path, fields);
  }

  private RawHttp.Answer send(String method, String path, Field... fields) throws IOException {
    var all = new ArrayList<>(List.of(new Field("host", "shop.example")));
    all.addAll(List.of(fields));
    return new RawHttp(new InetSocketAddress("127.0.0.1", listener), false, Duration.ofSeconds(5))
        .send(new RawHttp.Request(method, path, all, ByteString.EMPTY, null));
  }

  private void put(String policies) throws IOException {
    var load = Load.text("policies.yaml", policies);
    var service = new Address("127.0.0.1", nobody);
    var settings = new WireSettings(
        service,
        service,
        service,
        new Address("127.0.0.1", admin),
        "127.0.0.1",
        Map.of("shop/web/http", listener),
        Map.of(
            "shop/up", new Address("127.0.0.1", upstream.port()),
            "shop/renamed", new Address("127.0.0.1", upstream.port())),
        folder.toString());
    EnvoyConfig.of(load.policies(), settings, load.problems()).write(folder);
    assertThat(load.problems().all()).isEmpty();
  }
}
