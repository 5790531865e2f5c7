package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.util.JsonFormat;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitConfig;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitDescriptor;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitPolicy;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitUnit;
import dev.gatehouse.sandbox.Echo;
import dev.gatehouse.sandbox.Envoy;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Ports;
import dev.gatehouse.sandbox.Upstream;
import dev.gatehouse.testkit.AdsServer;
import dev.gatehouse.testkit.RedisFixture;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.Code;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * What Envoy Gateway asks of the program that its deployment starts as {@code /bin/ratelimit}: its environment as it is, a read-only root,
 * uid 65534, its control plane over TLS 1.3 with client certificates, and Envoy's calls with client certificates.
 */
final class EnvoyGatewayContractTest {
  private static final String DOMAIN = "default/eg/http";
  private static final String ROUTE = "httproute/default/shop/rule/0/match/0/shop_example_com";

  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir
  static Path certs;

  private static X509Bundle ca;
  private static AdsServer gateway;
  private static RedisFixture redis;
  private static Distribution.Running ratelimit;
  private static ManagedChannel envoy;
  private static int grpc;
  private static int http;
  private static int debug;
  private static int prometheus;

  @BeforeAll
  static void start() throws Exception {
    ca = authority("envoy-gateway");
    Files.writeString(certs.resolve("ca.crt"), ca.getCertificatePEM());
    write("envoy-gateway", certs);
    gateway = AdsServer.tls(
        certs.resolve("envoy-gateway.crt"),
        certs.resolve("envoy-gateway.key"),
        certs.resolve("ca.crt"));
    write("tls", certs);
    redis = RedisFixture.start();
    grpc = Distribution.freePort();
    http = Distribution.freePort();
    debug = Distribution.freePort();
    prometheus = Distribution.freePort();
    var readOnly = ReadOnly.here();
    var env = new LinkedHashMap<>(readOnly.env());
    env.putAll(environment());
    env.putAll(substituted());
    ratelimit = Distribution.startAlone(readOnly.command(), env, "ratelimit");
    ratelimit.awaitReady(http);
    envoy = channel(issue("envoy"));
    // Nothing comes before the first snapshot, and then all domains at once.
    assertThatThrownBy(() -> ask("alice"))
        .hasMessage("UNKNOWN: no rate limit configuration loaded");
    assertThat(get(http, "/healthcheck").statusCode()).isEqualTo(200);
    gateway.serve("1", List.of(shop()));
    gateway.awaitAck("1");
  }

  /** Every variable of the deployment that Envoy Gateway 1.9 makes, with tracing and Prometheus on. */
  private static Map<String, String> environment() {
    var env = new LinkedHashMap<String, String>();
    env.put("RUNTIME_ROOT", "/data");
    env.put("RUNTIME_SUBDIRECTORY", "ratelimit");
    env.put("RUNTIME_IGNOREDOTFILES", "true");
    env.put("RUNTIME_WATCH_ROOT", "false");
    env.put("LOG_LEVEL", "info");
    env.put("USE_STATSD", "false");
    env.put("CONFIG_TYPE", "GRPC_XDS_SOTW");
    env.put("CONFIG_GRPC_XDS_SERVER_URL", gateway.address());
    env.put("CONFIG_GRPC_XDS_NODE_ID", "envoy-ratelimit");
    env.put("GRPC_SERVER_USE_TLS", "true");
    env.put("GRPC_SERVER_TLS_CERT", certs.resolve("tls.crt").toString());
    env.put("GRPC_SERVER_TLS_KEY", certs.resolve("tls.key").toString());
    env.put("GRPC_SERVER_TLS_CA_CERT", certs.resolve("ca.crt").toString());
    env.put("CONFIG_GRPC_XDS_SERVER_USE_TLS", "true");
    env.put("CONFIG_GRPC_XDS_CLIENT_TLS_CERT", certs.resolve("tls.crt").toString());
    env.put("CONFIG_GRPC_XDS_CLIENT_TLS_KEY", certs.resolve("tls.key").toString());
    env.put("CONFIG_GRPC_XDS_SERVER_TLS_CACERT", certs.resolve("ca.crt").toString());
    env.put("FORCE_START_WITHOUT_INITIAL_CONFIG", "true");
    env.put("REDIS_SOCKET_TYPE", "tcp");
    env.put("REDIS_URL", redis.url().replaceFirst("^redis://", ""));
    env.put("USE_PROMETHEUS", "true");
    env.put("PROMETHEUS_ADDR", ":" + prometheus);
    env.put("PROMETHEUS_MAPPER_YAML", "/etc/statsd-exporter/conf.yaml");
    env.put("TRACING_ENABLED", "true");
    env.put("TRACING_SERVICE_NAME", "envoy-ratelimit");
    env.put("TRACING_SERVICE_NAMESPACE", "envoy-gateway-system");
    env.put("TRACING_SERVICE_INSTANCE_ID", "envoy-ratelimit-0");
    env.put("TRACING_SAMPLING_RATE", "1.0");
    env.put("OTEL_EXPORTER_OTLP_ENDPOINT", "http://trace-collector:4318");
    return env;
  }

  /** The deployment has the usual ports, which a machine that runs tests may use for something else; and such a machine may be slow. */
  private static Map<String, String> substituted() {
    return Map.of(
        "GRPC_PORT", "" + grpc,
        "PORT", "" + http,
        "DEBUG_PORT", "" + debug,
        "REDIS_TIMEOUT", "2s");
  }

  @AfterAll
  static void stop() {
    if (envoy != null) {
      envoy.shutdownNow();
    }
    if (ratelimit != null) {
      ratelimit.close();
    }
    if (gateway != null) {
      gateway.close();
    }
    if (redis != null) {
      redis.close();
    }
  }

  @Test
  void the_control_plane_knows_it_by_its_node_and_its_certificate() {
    assertThat(gateway.requests()).isNotEmpty().allSatisfy(request -> {
      assertThat(request.getTypeUrl())
          .isEqualTo("type.googleapis.com/ratelimit.config.ratelimit.v3.RateLimitConfig");
      assertThat(request.getResourceNamesList()).as("a wildcard").isEmpty();
    });
    assertThat(gateway.requests().getFirst().getNode().getId()).isEqualTo("envoy-ratelimit");
  }

  @Test
  void it_runs_with_epoll_though_it_can_unpack_nothing() {
    ratelimit.awaitSays(" epoll loops");
  }

  @Test
  void what_is_set_and_not_honoured_is_told_at_the_start() {
    ratelimit.awaitSays(
        "TRACING_ENABLED is set and not honoured: there are no traces yet",
        "OTEL_EXPORTER_OTLP_ENDPOINT is set and not honoured",
        "PROMETHEUS_MAPPER_YAML: /etc/statsd-exporter/conf.yaml: no such file; the standard mapping");
  }

  @Test
  void envoys_calls_are_counted_and_answered_field_by_field() throws Exception {
    var user = "counted";
    assertThat(ask(user)).satisfies(answer -> {
      assertThat(answer.getOverallCode()).isEqualTo(Code.OK);
      assertThat(answer.getStatuses(0).getCurrentLimit().getRequestsPerUnit()).isEqualTo(3);
      assertThat(answer.getStatuses(0).getCurrentLimit().getUnit())
          .isEqualTo(RateLimitResponse.RateLimit.Unit.HOUR);
      assertThat(answer.getStatuses(0).getLimitRemaining()).isEqualTo(2);
      assertThat(answer.getStatuses(0).getDurationUntilReset().getSeconds()).isBetween(1L, 3600L);
    });
    ask(user);
    ask(user);
    assertThat(ask(user).getOverallCode()).isEqualTo(Code.OVER_LIMIT);
  }

  @Test
  void who_shows_no_certificate_or_one_of_another_authority_is_refused() throws Exception {
    var otherCa = authority("another");
    var stranger = new CertificateBuilder().subject("CN=envoy").ecp256().buildIssuedBy(otherCa);
    for (var channel : List.of(channel(null), channel(stranger))) {
      assertThatThrownBy(() -> ask(channel, forUser("mallory")))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
      channel.shutdownNow();
    }
  }

  @Test
  void health_is_told_over_http_and_grpc() throws Exception {
    assertThat(get(http, "/healthcheck"))
        .satisfies(answer -> assertThat(answer.statusCode()).isEqualTo(200))
        .satisfies(answer -> assertThat(answer.body()).isEqualTo("OK"));
    for (var name : List.of("", "ratelimit")) {
      assertThat(HealthGrpc.newBlockingStub(envoy)
              .check(HealthCheckRequest.newBuilder().setService(name).build())
              .getStatus())
          .as(name)
          .isEqualTo(ServingStatus.SERVING);
    }
  }

  @Test
  void prometheus_and_the_debug_pages_are_where_the_reference_has_them() throws Exception {
    ask("measured");
    assertThat(get(prometheus, "/metrics").body().lines())
        .anyMatch(line -> line.startsWith("ratelimit_service_rate_limit_total_hits{domain=\""
            + DOMAIN + "\",key1=\"" + ROUTE + "_" + ROUTE + "\",key2=\"rule-0-match-0\"} "))
        .anyMatch(line -> line.equals("ratelimit_service_config_load_error 0"))
        .anyMatch(
            line -> line.startsWith(
                "ratelimit_service_response_time_seconds_bucket{grpc_method=\"ShouldRateLimit\",le=\"0.005\"} "));
    assertThat(get(debug, "/rlconfig").body())
        .contains(
            DOMAIN + "." + ROUTE + "_" + ROUTE
                + ".rule-0-match-0: unit=HOUR requests_per_unit=3, shadow_mode: false, quota_mode: false\n");
    assertThat(get(debug, "/stats").body())
        .contains("ratelimit.service.rate_limit." + DOMAIN + "." + ROUTE + "_" + ROUTE
            + ".rule-0-match-0.total_hits: ");
    assertThat(get(debug, "/").body()).contains("/stats", "/rlconfig");
  }

  @Test
  void json_is_answered_beside_the_health_check() throws Exception {
    var request = """
        {"domain": "%s", "descriptors": [{"entries": [
          {"key": "%s", "value": "%s"}, {"key": "rule-0-match-0", "value": "json"}]}]}
        """.formatted(DOMAIN, ROUTE, ROUTE);
    for (int i = 0; i < 3; i++) {
      assertThat(post(request).statusCode()).isEqualTo(200);
    }
    assertThat(post(request)).satisfies(answer -> {
      assertThat(answer.statusCode()).isEqualTo(429);
      assertThat(answer.headers().firstValue("content-type")).hasValue("application/json");
      assertThat(answer.body())
          .startsWith(
              "{\"overallCode\":\"OVER_LIMIT\",\"statuses\":[{\"code\":\"OVER_LIMIT\",\"currentLimit\":{\"requestsPerUnit\":3,\"unit\":\"HOUR\"},\"durationUntilReset\":\"");
    });
    assertThat(post("{\"domain\": 5").statusCode()).isEqualTo(400);
    assertThat(post("{\"domain\": \"x\", \"descriptors\": []}").statusCode()).isEqualTo(400);
    assertThat(post("{\"domain\": \"x\", \"descriptor\": []}").statusCode()).isEqualTo(400);
  }

  /** A limit per user behind a real Envoy, whose route has the actions that Envoy Gateway writes. */
  @Test
  void a_real_envoy_limits_a_user_by_it() throws Exception {
    write("envoy", certs);
    var config = certs.resolve("envoy.yaml");
    try (var ports = new Ports();
        var upstream = Upstream.start(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), new Echo())) {
      var port = ports.free();
      var admin = ports.free();
      Files.writeString(config, envoy(port, admin, upstream.port()));
      var binary = EnvoyBinary.find(System.getenv(), System.err::println);
      try (var _ = Envoy.start(binary, config, admin, certs.resolve("envoy.log"))) {
        for (int left = 2; left >= 0; left--) {
          var answer = through(port, "bob");
          assertThat(answer.statusCode()).isEqualTo(200);
          assertThat(answer.headers().firstValue("x-ratelimit-remaining")).hasValue("" + left);
        }
        assertThat(through(port, "bob").statusCode()).isEqualTo(429);
        assertThat(through(port, "carol").statusCode()).isEqualTo(200);
      }
    }
  }

  /** Every limit of Envoy Gateway's samples, served as it serves them, holds. */
  @Test
  void envoy_gateways_samples_are_taken_and_hold() throws Exception {
    for (var file : samples()) {
      var resources = resources(Files.readString(file));
      var version = file.getFileName().toString();
      var all = new ArrayList<>(resources);
      all.add(shop());
      gateway.serve(version, all);
      gateway.awaitAck(version);
      int limits = 0;
      for (var resource : resources) {
        limits += hold(resource.getDomain(), List.of(), resource.getDescriptorsList());
      }
      assertThat(limits).as(version).isPositive();
    }
  }

  private static int hold(String domain, List<Entry> above, List<RateLimitDescriptor> descriptors)
      throws Exception {
    int limits = 0;
    for (var descriptor : descriptors) {
      var entries = new ArrayList<>(above);
      entries.add(entry(
          descriptor.getKey(), descriptor.getValue().isEmpty() ? "any" : descriptor.getValue()));
      if (descriptor.hasRateLimit()) {
        limits++;
        var limit = ask(envoy, request(domain, entries)).getStatuses(0).getCurrentLimit();
        assertThat(limit.getRequestsPerUnit())
            .isEqualTo(descriptor.getRateLimit().getRequestsPerUnit());
        assertThat(limit.getUnit().name())
            .isEqualTo(descriptor.getRateLimit().getUnit().name());
      }
      limits += hold(domain, entries, descriptor.getDescriptorsList());
    }
    return limits;
  }

  private static List<Path> samples() throws IOException {
    var data = System.getProperty("gatehouse.data");
    if (data == null) {
      assertThat(System.getenv("CI"))
          .as("in CI -Dgatehouse.data must name the data folder")
          .isNotEqualTo("true");
    }
    assumeTrue(
        data != null,
        "run with -Dgatehouse.data=FOLDER, which has envoy-gateway/ratelimit-config in it");
    try (var files = Files.list(Path.of(data, "envoy-gateway", "ratelimit-config"))) {
      return files.filter(f -> !f.toString().endsWith(".routes.yaml")).sorted().toList();
    }
  }

  private static List<RateLimitConfig> resources(String yaml) throws IOException {
    var mapper = new YAMLMapper();
    var resources = new ArrayList<RateLimitConfig>();
    for (var document : yaml.split("(?m)^---$")) {
      var resource = RateLimitConfig.newBuilder();
      // The dump has two fields that xDS has not.
      JsonFormat.parser()
          .ignoringUnknownFields()
          .merge(mapper.readTree(document).toString(), resource);
      resources.add(resource.build());
    }
    return resources;
  }

  /** Three an hour for each user, under the names that Envoy Gateway makes. */
  private static RateLimitConfig shop() {
    return RateLimitConfig.newBuilder()
        .setName(DOMAIN)
        .setDomain(DOMAIN)
        .addDescriptors(RateLimitDescriptor.newBuilder()
            .setKey(ROUTE)
            .setValue(ROUTE)
            .addDescriptors(RateLimitDescriptor.newBuilder()
                .setKey("rule-0-match-0")
                .setRateLimit(RateLimitPolicy.newBuilder()
                    .setUnit(RateLimitUnit.HOUR)
                    .setRequestsPerUnit(3))))
        .build();
  }

  private static RateLimitResponse ask(String user) {
    return ask(envoy, forUser(user));
  }

  private static RateLimitResponse ask(ManagedChannel channel, RateLimitRequest request) {
    return RateLimitServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .shouldRateLimit(request);
  }

  private static RateLimitRequest forUser(String user) {
    return request(DOMAIN, List.of(entry(ROUTE, ROUTE), entry("rule-0-match-0", user)));
  }

  private static RateLimitRequest request(String domain, List<Entry> entries) {
    return RateLimitRequest.newBuilder()
        .setDomain(domain)
        .addDescriptors(
            io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.newBuilder()
                .addAllEntries(entries))
        .build();
  }

  private static Entry entry(String key, String value) {
    return Entry.newBuilder().setKey(key).setValue(value).build();
  }

  /** @param client null shows no certificate */
  private static ManagedChannel channel(X509Bundle client) throws Exception {
    var tls = GrpcSslContexts.forClient().trustManager(ca.getCertificate());
    if (client != null) {
      tls.keyManager(client.getKeyPair().getPrivate(), client.getCertificatePath());
    }
    return NettyChannelBuilder.forAddress(new InetSocketAddress("127.0.0.1", grpc))
        .sslContext(tls.build())
        .build();
  }

  private static X509Bundle authority(String name) throws Exception {
    return new CertificateBuilder()
        .subject("CN=" + name)
        .setIsCertificateAuthority(true)
        .ecp256()
        .buildSelfSigned();
  }

  private static X509Bundle issue(String name) throws Exception {
    return new CertificateBuilder()
        .subject("CN=" + name)
        .addSanDnsName(name)
        .addSanIpAddress("127.0.0.1")
        .ecp256()
        .buildIssuedBy(ca);
  }

  private static void write(String name, Path folder) throws Exception {
    var identity = issue(name);
    Files.writeString(folder.resolve(name + ".crt"), identity.getCertificatePathPEM());
    Files.writeString(folder.resolve(name + ".key"), identity.getPrivateKeyPEM());
  }

  private static HttpResponse<String> get(int port, String path) throws Exception {
    return send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)));
  }

  private static HttpResponse<String> post(String json) throws Exception {
    return send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + http + "/json"))
        .POST(HttpRequest.BodyPublishers.ofString(json)));
  }

  private static HttpResponse<String> through(int port, String user) throws Exception {
    return send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/"))
        .header("x-user-id", user));
  }

  private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static String envoy(int port, int admin, int upstream) {
    return """
        admin: {address: {socket_address: {address: 127.0.0.1, port_value: %1$d}}}
        static_resources:
          listeners:
          - name: http
            address: {socket_address: {address: 127.0.0.1, port_value: %2$d}}
            filter_chains:
            - filters:
              - name: envoy.filters.network.http_connection_manager
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                  stat_prefix: http
                  http_filters:
                  - name: envoy.filters.http.ratelimit
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
                      domain: %4$s
                      failure_mode_deny: true
                      timeout: 2s
                      enable_x_ratelimit_headers: DRAFT_VERSION_03
                      rate_limit_service:
                        transport_api_version: V3
                        grpc_service: {envoy_grpc: {cluster_name: ratelimit}}
                  - name: envoy.filters.http.router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
                  route_config:
                    virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                      - match: {prefix: /}
                        route:
                          cluster: upstream
                          rate_limits:
                          - actions:
                            - generic_key: {descriptor_key: %5$s, descriptor_value: %5$s}
                            - request_headers: {descriptor_key: rule-0-match-0, header_name: x-user-id}
          clusters:
          - name: upstream
            type: STATIC
            load_assignment: {cluster_name: upstream, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %3$d}}}}]}]}
          - name: ratelimit
            type: STATIC
            typed_extension_protocol_options:
              envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                explicit_http_config: {http2_protocol_options: {}}
            load_assignment: {cluster_name: ratelimit, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %6$d}}}}]}]}
            transport_socket:
              name: envoy.transport_sockets.tls
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
                common_tls_context:
                  tls_certificates: [{certificate_chain: {filename: "%7$s/envoy.crt"}, private_key: {filename: "%7$s/envoy.key"}}]
                  validation_context: {trusted_ca: {filename: "%7$s/ca.crt"}}
        """.formatted(admin, port, upstream, DOMAIN, ROUTE, grpc, certs);
  }
}
