package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.sandbox.Echo;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Field;
import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.Patience;
import dev.gatehouse.sandbox.RawHttp;
import dev.gatehouse.sandbox.Upstream;
import dev.gatehouse.wire.EnvoyConfig;
import dev.gatehouse.wire.envoygateway.ExtensionPolicies;
import dev.gatehouse.wire.envoygateway.ServiceRef;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * What {@code wire envoy-gateway} writes is enough: a real Envoy has the ext_proc filter that Envoy Gateway 1.9 makes of it, with nothing
 * that only {@code wire envoy} could give, and the steps work. {@link RealEnvoyGatewayTest} has the gateway itself.
 */
class EnvoyGatewayExtensionTest {
  private static final YAMLMapper YAML = YAMLMapper.shared();

  private static final String POLICIES =
      ShopYaml.GATEWAY + ShopYaml.route("orders", "{path: {value: /}}") + """
      ---
      apiVersion: gatehouse.dev/v1alpha1
      kind: TransformPolicy
      metadata: {name: orders, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
        request:
        - headers: {set: {x-from: "${source.address}"}}
          metadata: {tenant: "${request.headers['x-tenant']}"}
        response:
        - json: [{op: mask, at: /card, keepLast: 4}]
          headers: {set: {x-tenant: "${metadata['gatehouse.ext_proc'].tenant}"}}
      """;

  @TempDir
  Path folder;

  private Upstream upstream;

  @BeforeEach
  void startTheUpstream() {
    upstream =
        Upstream.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), new Echo());
  }

  @AfterEach
  void stopTheUpstream() {
    upstream.close();
  }

  @Test
  void the_steps_work_with_what_is_written_and_nothing_else() throws IOException {
    try (var gate = open("xds.route_metadata")) {
      var answer = ask(gate);
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.text()).isEqualTo("{\"card\": \"************1111\"}");
      assertThat(answer.header("x-tenant")).containsExactly("acme");
      assertThat(upstream.take())
          .singleElement()
          .satisfies(seen -> assertThat(seen.header("x-from")).containsExactly("127.0.0.1"));
      assertThat(gate.envoy()
              .stats("ext_proc.*(spurious_msgs_received|streams_failed|message_timeouts)$")
              .values())
          .containsOnly(0L);
      assertThat(gate.envoy().stats("ext_proc.*streams_started$").values()).contains(1L);
    }
  }

  @Test
  void without_the_routes_metadata_nobody_knows_which_policy_holds() throws IOException {
    try (var gate = open("xds.route_name")) {
      assertThat(ask(gate).text()).as("why lint calls that an error").contains("4111111111111111");
    }
  }

  @Test
  void trailers_without_a_body_are_no_way_round_a_step_that_waits_for_one() throws IOException {
    var waits = POLICIES.substring(0, POLICIES.indexOf("  request:\n")) + """
          limits: {requestBytes: 9Ki}
          request: [{when: '!has(request.body.id)', respond: {status: 422}}]
        """;
    try (var gate = open(waits, "xds.route_metadata")) {
      var address = Objects.requireNonNull(gate.endpoints().get(8080)).address();
      assertThat(TrailersOnly.post(address, "/orders")).isEqualTo(422);
      assertThat(upstream.take()).isEmpty();
    }
  }

  private RawHttp.Answer ask(Gate gate) throws IOException {
    upstream.tell(new Upstream.Reply(
        200,
        List.of(new Field("content-type", "application/json")),
        ByteString.copyFromUtf8("{\"card\": \"4111111111111111\"}")));
    var address = Objects.requireNonNull(gate.endpoints().get(8080)).address();
    return new RawHttp(address, false, Duration.ofSeconds(20))
        .send(
            RawHttp.bytes(
                "GET /orders HTTP/1.1\r\nhost: shop.example\r\nx-tenant: acme\r\nconnection: close\r\n\r\n"),
            null);
  }

  /** @param identity the attribute that tells the route */
  private Gate open(String identity) throws IOException {
    return open(POLICIES, identity);
  }

  private Gate open(String shop, String identity) throws IOException {
    var policies = Files.createDirectory(folder.resolve("policies"));
    Files.writeString(policies.resolve("shop.yaml"), shop);
    var load = Load.folders(List.of(policies));
    var problems = new Problems();
    var written =
        ExtensionPolicies.yaml(load.policies(), ServiceRef.parse("shop/ext-proc:9002"), problems);
    assertThat(load.problems().all()).isEmpty();
    assertThat(problems.all()).isEmpty();
    var extProc =
        YAML.readTree(written.replace("xds.route_metadata", identity)).at("/spec/extProc/0");
    var usual = Gate.Settings.of(
        policies,
        Files.createDirectory(folder.resolve("envoy")),
        EnvoyBinary.find(System.getenv(), line -> {}),
        backend -> upstream.port());
    return Gate.open(
        new Gate.Settings(
            usual.policies(),
            usual.work(),
            usual.envoy(),
            usual.port(),
            usual.upstream(),
            usual.extAuthz(),
            usual.ratelimit(),
            usual.extProc(),
            usual.decisions(),
            config -> asTheGatewayDoes(config, extProc),
            null),
        (reload, wired) -> {});
  }

  private static EnvoyConfig asTheGatewayDoes(EnvoyConfig config, JsonNode extProc) {
    var files = new TreeMap<String, String>();
    Patience.with(config).files().forEach((name, text) -> {
      var tree = YAML.readTree(text);
      change(tree, extProc);
      files.put(name, YAML.writeValueAsString(tree));
    });
    return new EnvoyConfig(files);
  }

  private static void change(JsonNode node, JsonNode extProc) {
    if (node instanceof ObjectNode object) {
      var type = object.path("@type").asString("");
      if (type.endsWith(".ext_proc.v3.ExternalProcessor")) {
        filter(object, extProc);
      } else if (type.endsWith(".ext_proc.v3.ExtProcPerRoute")) {
        object.removeAll();
        object.put("@type", "type.googleapis.com/envoy.config.route.v3.FilterConfig");
        object.putObject("config");
        return;
      }
    }
    node.forEach(child -> change(child, extProc));
  }

  private static void filter(ObjectNode filter, JsonNode extProc) {
    var type = filter.get("@type");
    var service = (ObjectNode) filter.get("grpc_service");
    service.remove("initial_metadata");
    service.put("timeout", "10s");
    filter.removeAll();
    filter.set("@type", type);
    filter.set("grpc_service", service);
    filter.setAll(GatewayFilter.of(extProc));
  }
}
