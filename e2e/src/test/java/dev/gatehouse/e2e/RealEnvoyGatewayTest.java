package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.sandbox.Echo;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Field;
import dev.gatehouse.sandbox.RawHttp;
import dev.gatehouse.sandbox.Upstream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * What {@code wire envoy-gateway} writes, read by Envoy Gateway itself: the steps work in the Envoy that it starts, beside its own ext_authz,
 * Lua and compressor. Needs the gateway's program, so it runs only when asked for: {@code mvn verify -Pgateway
 * -Dgatehouse.envoy-gateway=PROGRAM} (CONTRIBUTING.md says how to build it).
 */
@Tag("gateway")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class RealEnvoyGatewayTest {
  private static final Path RESOURCES = Path.of("src/test/envoy-gateway");
  private static final String EXT_PROC = "Backend/shop/ext-proc";
  private static final List<Field> JSON = List.of(new Field("content-type", "application/json"));

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private Path resources;
  private Path policies;
  private Upstream upstream;
  private HostGateway gateway;
  private InetSocketAddress address;

  @BeforeAll
  void open(@TempDir Path folder) throws Exception {
    var program = System.getProperty("gatehouse.envoy-gateway");
    assertThat(program).as("-Dgatehouse.envoy-gateway=PROGRAM").isNotBlank();
    resources = Files.createDirectory(folder.resolve("resources"));
    policies = Files.createDirectory(folder.resolve("policies"));
    upstream =
        Upstream.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), new Echo());
    opened.push(upstream);
    address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Distribution.freePort());
    int extProc = Distribution.freePort();
    int extAuthz = Distribution.freePort();
    Files.copy(RESOURCES.resolve("policies.yaml"), policies.resolve("policies.yaml"));
    Files.writeString(
        resources.resolve("gateway.yaml"),
        Files.readString(RESOURCES.resolve("gateway.yaml"))
            .replace("ENVOY_VERSION", EnvoyBinary.VERSION)
            .replace("GATEWAY_PORT", "" + address.getPort())
            .replace("UPSTREAM_PORT", "" + upstream.port())
            .replace("EXT_PROC_PORT", "" + extProc)
            .replace("EXT_AUTHZ_PORT", "" + extAuthz));
    var written = Distribution.run(
        "gatehouse",
        "wire",
        "envoy-gateway",
        "--policies",
        resources + "," + policies,
        "--ext-proc-service",
        EXT_PROC,
        "--out",
        resources.toString());
    assertThat(written.code()).as(written.output()).isZero();
    serve("ext-proc", extProc);
    serve("ext-authz", extAuthz);
    gateway = HostGateway.start(
        Path.of(program),
        resources,
        Files.createDirectory(folder.resolve("work")),
        address.getPort());
    opened.push(gateway);
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> assertThat(get("/plain").status()).as(gateway.log()).isEqualTo(200));
  }

  private void serve(String service, int port) throws IOException {
    int admin = Distribution.freePort();
    var running = Distribution.start(
        Map.of(),
        "gatehouse",
        service,
        "--policies",
        resources + "," + policies,
        "--listen",
        "127.0.0.1:" + port,
        "--admin",
        "127.0.0.1:" + admin);
    opened.push(running);
    running.awaitReady(admin);
  }

  @AfterAll
  void close() throws Exception {
    while (!opened.isEmpty()) {
      opened.pop().close();
    }
  }

  @BeforeEach
  void forget() {
    upstream.tell(null);
    upstream.take();
  }

  @AfterEach
  void no_stream_has_failed() {
    assertThat(
            gateway
                .envoy()
                .stats(
                    "ext_proc.*(spurious_msgs_received|streams_failed|message_timeouts|rejected_header_mutations|failure_mode_allowed)$"))
        .hasSize(5)
        .allSatisfy((name, count) -> assertThat(count).as(name).isZero());
  }

  @Test
  void lint_has_nothing_to_say_of_what_was_written_and_much_of_what_was_not() throws Exception {
    var lint = Distribution.run(
        "gatehouse",
        "lint",
        resources.toString(),
        policies.toString(),
        "--gateway",
        "envoy-gateway",
        "--ext-proc-service",
        EXT_PROC);
    assertThat(lint.code()).isZero();
    assertThat(lint.output())
        .contains(
            "0 errors, 4 warnings",
            "Envoy Gateway holds back 32Ki",
            "GRPCRoute shop/cards gives way");
    assertThat(lint.output()
            .lines()
            .filter(line -> line.contains(": warning: spec.extProc[0].processingMode")))
        .hasSize(3);
  }

  @Test
  void the_filters_are_those_that_we_take_the_gateway_to_make() throws IOException {
    var expected = new TreeMap<String, JsonNode>();
    var file = Files.readString(resources.resolve("envoy-extension-policies.yaml"));
    try (var documents = YAMLMapper.shared().readerFor(JsonNode.class).<JsonNode>readValues(file)) {
      while (documents.hasNext()) {
        var policy = documents.next();
        expected.put(
            policy.at("/metadata/name").asString(),
            said(GatewayFilter.of(policy.at("/spec/extProc/0"))));
      }
    }
    var made = new TreeMap<String, JsonNode>();
    var dump =
        JsonMapper.shared().readTree(gateway.envoy().send("GET", "/config_dump").body());
    for (var filter : filters(dump)) {
      var name = filter.get("name").asString().split("/")[3];
      var config = (ObjectNode) filter.get("typed_config");
      assertThat(config.at("/grpc_service/timeout").asString()).isEqualTo("10s");
      config.remove(List.of("@type", "grpc_service"));
      made.put(name, said(config));
    }
    made.remove("by-hand");
    assertThat(expected).hasSize(7);
    assertThat(made).isEqualTo(expected);
  }

  /** Without what is the default, which a dump does not say, and as it says durations. */
  private static ObjectNode said(ObjectNode filter) {
    var timeout = Duration.parse("PT" + filter.get("message_timeout").asString());
    filter.put("message_timeout", timeout.toString());
    var mode = (ObjectNode) filter.get("processing_mode");
    mode.removeIf(value -> value.asString().equals("NONE"));
    filter.removeIf(value -> value.isBoolean() && !value.asBoolean());
    return filter;
  }

  private static List<JsonNode> filters(JsonNode node) {
    var found = new ArrayList<JsonNode>();
    var type = node.path("typed_config").path("@type").asString("");
    if (type.endsWith(".ext_proc.v3.ExternalProcessor")) {
      found.add(node);
    }
    node.forEach(child -> found.addAll(filters(child)));
    return found;
  }

  @Test
  void headers_are_changed_both_ways() throws IOException {
    upstream.tell(new Upstream.Reply(200, List.of(new Field("x-secret", "s")), ByteString.EMPTY));
    var answer = get("/headers/a?b=1", new Field("x-internal", "1"));
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("x-method")).containsExactly("GET");
    assertThat(answer.header("x-secret")).isEmpty();
    assertThat(upstream.take()).singleElement().satisfies(seen -> {
      assertThat(seen.path()).isEqualTo("/v2/a?b=1&source=gateway");
      assertThat(seen.header("x-from")).containsExactly("127.0.0.1");
      assertThat(seen.header("x-internal")).isEmpty();
    });
  }

  @Test
  void a_response_is_masked_in_pieces_however_large_it_is_and_even_if_the_gateway_compresses_it()
      throws IOException {
    for (int records : List.of(1, 40_000)) {
      upstream.tell(new Upstream.Reply(
          200,
          JSON,
          ByteString.copyFromUtf8("[" + "{\"card\": 4111111111111111},".repeat(records) + "1.0]")));
      var answer = get("/cards", new Field("accept-encoding", "gzip"));
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.header("content-encoding")).isEmpty();
      assertThat(answer.text())
          .isEqualTo("[" + "{\"card\": \"************1111\"},".repeat(records) + "1.0]");
    }
    assertThat(gateway.envoy().stats("compressor\\.gzip\\.compressed$").values())
        .containsExactly(2L);
  }

  @Test
  void a_whole_body_is_seen_above_the_gateways_buffer_and_up_to_the_policys_limit()
      throws IOException {
    for (int kibibytes : List.of(1, 31, 33, 250)) {
      var answer = post("/orders", order(kibibytes));
      assertThat(answer.status()).as(kibibytes + " KiB").isEqualTo(200);
      assertThat(upstream.take()).singleElement().satisfies(seen -> {
        assertThat(seen.header("x-order")).containsExactly("7");
        assertThat(seen.text()).endsWith("\"id\":7,\"contact\":{\"mail\":\"a@b\"}}");
      });
    }
    assertThat(post("/orders", order(257)).status()).isEqualTo(413);
    assertThat(post("/orders", "{}").status()).isEqualTo(422);
    assertThat(upstream.take()).isEmpty();
    assertThat(get("/orders").header("x-read")).containsExactly("yes");
  }

  @Test
  void trailers_without_a_body_are_no_way_round_a_step_that_waits_for_one() throws IOException {
    assertThat(TrailersOnly.post(address, "/orders")).isEqualTo(422);
    assertThat(upstream.take()).isEmpty();
  }

  @Test
  void a_buffered_body_above_the_gateways_buffer_is_refused_as_lint_warns() throws IOException {
    assertThat(post("/buffered", order(31)).status()).isEqualTo(200);
    assertThat(post("/buffered", order(33)).status()).isEqualTo(413);
    assertThat(post("/buffered", "{}").status()).isEqualTo(422);
    assertThat(TrailersOnly.post(address, "/buffered")).as("goes round").isEqualTo(200);
  }

  @Test
  void an_upgrade_is_refused_where_steps_want_a_body() throws IOException {
    var upgrade = List.of(new Field("connection", "upgrade"), new Field("upgrade", "websocket"));
    assertThat(send("POST", "/orders", upgrade, "").status()).isEqualTo(400);
    assertThat(upstream.take()).isEmpty();
  }

  @Test
  void a_grpc_route_has_its_steps_although_http_routes_have_its_host() throws IOException {
    var call =
        "POST /shop.Cards/Get HTTP/1.1\r\nhost: shop.example\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n";
    var answer =
        new RawHttp(address, false, Duration.ofSeconds(20)).send(RawHttp.bytes(call), null);
    assertThat(answer.header("grpc-status")).as(answer.toString()).containsExactly("7");
  }

  @Test
  void metadata_is_written_and_read() throws IOException {
    assertThat(get("/tenants", new Field("x-tenant", "acme")).header("x-tenant"))
        .containsExactly("acme");
  }

  @Test
  void who_the_caller_is_comes_from_ext_authz() throws IOException {
    assertThat(get("/who").status()).isEqualTo(401);
    assertThat(upstream.take()).isEmpty();
    assertThat(get("/who", new Field("x-api-key", "5e0b7c41d9a64f1f")).status()).isEqualTo(200);
    assertThat(upstream.take())
        .singleElement()
        .satisfies(seen -> assertThat(seen.header("x-user")).containsExactly("acme"));
  }

  @Test
  void the_gateways_lua_runs_where_a_policy_was_merged_with_it() throws IOException {
    for (var path : List.of("/plain", "/headers", "/orders", "/who")) {
      assertThat(get(path).header("x-lua")).as(path).containsExactly("here");
    }
  }

  /** Of that many KiB less a few bytes. */
  private static String order(int kibibytes) {
    return "{\"pad\":\"" + "x".repeat((kibibytes << 10) - 40) + "\",\"mail\":\"a@b\",\"id\":7}";
  }

  private RawHttp.Answer get(String path, Field... fields) throws IOException {
    return send("GET", path, List.of(fields), "");
  }

  private RawHttp.Answer post(String path, String body) throws IOException {
    var fields = new ArrayList<>(JSON);
    fields.add(new Field("content-length", "" + body.length()));
    return send("POST", path, fields, body);
  }

  private RawHttp.Answer send(String method, String path, List<Field> more, String body)
      throws IOException {
    var fields = new ArrayList<>(List.of(new Field("host", "shop.example")));
    fields.addAll(more);
    return new RawHttp(address, false, Duration.ofSeconds(20))
        .send(new RawHttp.Request(method, path, fields, ByteString.copyFromUtf8(body), null));
  }
}
