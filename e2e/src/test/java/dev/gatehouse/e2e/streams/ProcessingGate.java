package dev.gatehouse.e2e.streams;

import dev.gatehouse.e2e.raw.RawClient;
import dev.gatehouse.extproc.kit.ProcessorServer;
import dev.gatehouse.extproc.kit.ProcessorService;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.sandbox.Envoy;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Ports;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.function.IntFunction;

/**
 * A real Envoy whose ext_proc filter, in every pair of body modes, asks a test's own processors. The path {@code /REQUEST-RESPONSE}
 * chooses the modes; a request names its processor in {@code x-stream}. Upgrades to websocket are let through.
 */
final class ProcessingGate implements AutoCloseable {
  static final List<BodySendMode> MODES = List.of(
      BodySendMode.NONE,
      BodySendMode.BUFFERED,
      BodySendMode.BUFFERED_PARTIAL,
      BodySendMode.STREAMED,
      BodySendMode.FULL_DUPLEX_STREAMED);

  /** Where BUFFERED_PARTIAL has enough, on routes where nothing is BUFFERED. */
  static final int PARTIAL_BYTES = 20_000;

  private static final int BUFFER_BYTES = 1 << 20;

  private static final String FILTER = """
      - name: ext_proc
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
          grpc_service: {envoy_grpc: {cluster_name: ext-proc}}
          failure_mode_allow: false
          message_timeout: ${timeout}
          max_message_timeout: 20s
          processing_mode: {request_header_mode: SEND, response_header_mode: SEND}
          response_attributes: [response.code_details]
          metadata_options: {receiving_namespaces: {untyped: [test]}}
          allow_mode_override: ${override}
          observability_mode: ${observed}
      """;

  private static final String ROUTER = """
      - name: router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
      """;

  /** Envoy's filters that answer out of a cache in its memory, and how each is configured. */
  enum Cache {
    CACHE(
        "envoy.extensions.filters.http.cache.v3.CacheConfig",
        "envoy.extensions.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig"),
    CACHE_V2(
        "envoy.extensions.filters.http.cache_v2.v3.CacheV2Config",
        "envoy.extensions.http.cache_v2.simple_http_cache.v3.SimpleHttpCacheV2Config");

    private final String filter;

    Cache(String config, String store) {
      filter = """
          - name: %s
            typed_config:
              "@type": type.googleapis.com/%s
              typed_config: {"@type": type.googleapis.com/%s}
          """.formatted(name(), config, store);
    }
  }

  /** Where the route leaves out what the filter's own configuration sends. */
  private static final String SKIPPING = """
      - match: {prefix: "/skipping"}
        route: {cluster: up}
        typed_per_filter_config:
          ext_proc:
            "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute
            overrides: {processing_mode: {request_header_mode: SEND, response_header_mode: SKIP}}
      """;

  private final String timeout;
  private final Ports ports = new Ports();
  private final int heeding = ports.free();
  private final int deaf = ports.free();
  private final int observing = ports.free();
  private final Map<Cache, Integer> caching = new EnumMap<>(Cache.class);
  private final int admin = ports.free();
  private final ProcessorServer server;
  private final Envoy envoy;

  /** @param timeout Envoy's {@code message_timeout} */
  ProcessingGate(
      Path folder,
      int upstream,
      String timeout,
      Patience patience,
      IntFunction<Processor> processors)
      throws IOException {
    this.timeout = timeout;
    for (var cache : Cache.values()) {
      caching.put(cache, ports.free());
    }
    server = serve(patience, processors);
    var config = folder.resolve("envoy.yaml");
    Files.writeString(config, config(upstream));
    envoy = Envoy.start(
        EnvoyBinary.find(System.getenv(), line -> {}), config, admin, folder.resolve("envoy.log"));
  }

  static String path(BodySendMode request, BodySendMode response) {
    return "/" + request + "-" + response;
  }

  /**
   * Sends a request's head.
   *
   * @param number names the processor
   */
  static void request(
      RawClient client,
      String method,
      BodySendMode request,
      BodySendMode response,
      int number,
      String... fields)
      throws IOException {
    client
        .out()
        .head(
            method + " " + path(request, response) + " HTTP/1.1\r\nhost: shop\r\nx-stream: "
                + number,
            fields);
  }

  /** Where {@code allow_mode_override} is set. */
  int heeding() {
    return heeding;
  }

  /** Where it is not. */
  int deaf() {
    return deaf;
  }

  /** Where Envoy waits for no answer. */
  int observing() {
    return observing;
  }

  /** Where {@code allow_mode_override} is set, and a cache stands behind ext_proc. */
  int caching(Cache cache) {
    return Objects.requireNonNull(caching.get(cache));
  }

  Envoy envoy() {
    return envoy;
  }

  /** The sum of a counter of the ext_proc filters. */
  long count(String name) {
    return envoy.stats("ext_proc\\." + name + "$").values().stream()
        .mapToLong(Long::longValue)
        .sum();
  }

  @Override
  public void close() {
    envoy.close();
    server.close();
    ports.close();
  }

  private static ProcessorServer serve(Patience patience, IntFunction<Processor> processors) {
    var service = new ProcessorService(
        "test",
        stream -> processors.apply(number(stream.first())),
        Executors.newVirtualThreadPerTaskExecutor(),
        patience);
    return ProcessorServer.of(service)
        .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .drain(Duration.ZERO)
        .start();
  }

  private static int number(HeadersMessage first) {
    var number = first.first("x-stream");
    return number == null ? -1 : Integer.parseInt(number);
  }

  private String config(int upstream) {
    var listeners = new StringBuilder()
        .append(listener("heeding", heeding, true, false, ""))
        .append(listener("deaf", deaf, false, false, ""))
        .append(listener("observing", observing, false, true, ""));
    caching.forEach(
        (cache, port) -> listeners.append(listener(cache.name(), port, true, false, cache.filter)));
    return """
        admin: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}
        static_resources:
          clusters:
          - name: up
            per_connection_buffer_limit_bytes: %d
            load_assignment: {cluster_name: up, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]}
            typed_extension_protocol_options:
              envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                explicit_http_config: {http_protocol_options: {enable_trailers: true}}
          - name: ext-proc
            per_connection_buffer_limit_bytes: %d
            load_assignment: {cluster_name: ext-proc, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]}
            typed_extension_protocol_options:
              envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                explicit_http_config: {http2_protocol_options: {}}
          listeners:
        """.formatted(
                admin, BUFFER_BYTES, upstream, BUFFER_BYTES, server.address().getPort())
        + listeners;
  }

  /** @param behind a filter between ext_proc and the router, or none */
  private String listener(
      String name, int port, boolean override, boolean observed, String behind) {
    var filters = FILTER
        .replace("${timeout}", timeout)
        .replace("${override}", Boolean.toString(override))
        .replace("${observed}", Boolean.toString(observed));
    return """
          - name: %s
            address: {socket_address: {address: 127.0.0.1, port_value: %d}}
            per_connection_buffer_limit_bytes: %d
            filter_chains:
            - filters:
              - name: hcm
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                  stat_prefix: %s
                  http_protocol_options: {enable_trailers: true}
                  stream_idle_timeout: 30s
                  delayed_close_timeout: 0.2s
                  local_reply_config:
                    mappers:
                    - filter: {status_code_filter: {comparison: {op: EQ, value: {default_value: 418, runtime_key: none}}}}
                      headers_to_add: [{header: {key: x-told, value: "%%DYNAMIC_METADATA(test:told)%%"}}]
                  route_config:
                    virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
        """.formatted(name, port, BUFFER_BYTES, name).indent(2)
        + routes().indent(16)
        + "http_filters:\n".indent(12)
        + (filters + behind + ROUTER).indent(14);
  }

  private static String routes() {
    var routes = new StringBuilder();
    for (var request : MODES) {
      for (var response : MODES) {
        routes.append(route(request, response));
      }
    }
    return routes + SKIPPING;
  }

  private static String route(BodySendMode request, BodySendMode response) {
    var partial = request != BodySendMode.BUFFERED
        && response != BodySendMode.BUFFERED
        && (request == BodySendMode.BUFFERED_PARTIAL || response == BodySendMode.BUFFERED_PARTIAL);
    return """
        - match: {prefix: "%s"}
          route: {cluster: up, timeout: 30s, upgrade_configs: [{upgrade_type: websocket}]}
          request_body_buffer_limit: %d
          typed_per_filter_config:
            ext_proc:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute
              overrides:
                processing_mode:
                  request_header_mode: SEND
                  response_header_mode: SEND
                  request_body_mode: %s
                  response_body_mode: %s
                  request_trailer_mode: SEND
                  response_trailer_mode: SEND
        """.formatted(
            path(request, response), partial ? PARTIAL_BYTES : BUFFER_BYTES, request, response);
  }
}
