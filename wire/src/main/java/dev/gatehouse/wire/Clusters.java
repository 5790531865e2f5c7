package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;
import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.policy.resource.Backend;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.wire.WireSettings.Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The upstreams: one cluster a Backend that some route uses, or two where HTTPRoutes and GRPCRoutes do, and one each for the three
 * services.
 */
final class Clusters {
  static final String EXT_AUTHZ = "ext-authz";
  static final String EXT_PROC = "ext-proc";
  static final String RATELIMIT = "ratelimit";

  /** No cluster has this name: a route that leads here answers 500 (Gateway API, HTTPBackendRef). */
  static final String INVALID = "invalid-backend";

  /** Bodies that a filter buffers are bounded by their route; all else may flow in small portions. */
  static final int BUFFER_BYTES = 32_768;

  private static final String PROTOCOL = "typed_extension_protocol_options";
  private static final int CALLOUTS_AT_ONCE = 65_536;

  /**
   * What Envoy takes of one call's answers before its client has taken them. By default it is 16 MiB: 50 large bodies through ext-proc at
   * once made Envoy 900 MB large, and 90 so (tried). That of the connection stays large, so that slow clients hold nobody else up.
   */
  private static final int WINDOW_BYTES = 262_144;

  private final WireSettings settings;
  private final Problems problems;
  private final Map<String, @Nullable Map<String, Object>> backends = new TreeMap<>();

  Clusters(WireSettings settings, Problems problems) {
    this.settings = settings;
    this.problems = problems;
  }

  /**
   * The name of a Backend's cluster, {@link #INVALID} if it cannot be one.
   *
   * @param grpc whether it is spoken to in HTTP/2, without TLS: a Backend does not say what it speaks, so the kind of the route does, as
   *     for Envoy Gateway. No pings: a server may take them for abuse (grpc-java ends a connection over them)
   */
  String of(Backend backend, boolean grpc) {
    var name = "backend/" + backend.meta().id() + (grpc ? "/grpc" : "");
    if (!backends.containsKey(name)) {
      backends.put(name, cluster(name, backend, grpc ? map(PROTOCOL, http2(map(), null)) : map()));
    }
    return backends.get(name) == null ? INVALID : name;
  }

  /** All that were asked for, in the order of their names, and the services'. */
  List<Map<String, Object>> all() {
    var all = new ArrayList<Map<String, Object>>();
    backends.values().forEach(cluster -> {
      if (cluster != null) {
        all.add(cluster);
      }
    });
    all.add(callout(EXT_AUTHZ, settings.extAuthz()));
    all.add(callout(EXT_PROC, settings.extProc()));
    all.add(callout(RATELIMIT, settings.ratelimit()));
    return all;
  }

  private @Nullable Map<String, Object> cluster(
      String name, Backend backend, Map<String, Object> protocol) {
    var moved = settings.backends().get(backend.meta().id());
    if (moved != null) {
      return cluster(name, isIp(moved.host()), List.of(endpoint(socket(moved))), protocol);
    }
    var named = backend.endpoints().stream().anyMatch(e -> e instanceof Backend.Fqdn);
    var local = backend.endpoints().stream().anyMatch(e -> e instanceof Backend.Unix);
    if (named && local) {
      problems.error(
          backend.meta().origin(),
          "spec.endpoints",
          "fqdn and unix endpoints in one Backend: Envoy resolves names for a whole cluster, and a socket has none; make two Backends and weigh them in the route");
      return null;
    }
    var endpoints = backend.endpoints().stream().map(e -> endpoint(address(e))).toList();
    return cluster(name, !named, endpoints, protocol);
  }

  /**
   * A service: HTTP/2, pinged so that a dead peer is noticed, and no limit of Envoy's below what the service itself bears. A call is retried
   * only where the service cannot have seen it, so that nothing is decided or counted twice. The policy stands here because ext_authz heeds
   * none in its {@code grpc_service} (tried).
   */
  private static Map<String, Object> callout(String name, Address address) {
    var threshold = map(
        "max_pending_requests", CALLOUTS_AT_ONCE,
        "max_requests", CALLOUTS_AT_ONCE);
    return cluster(
        name,
        isIp(address.host()),
        List.of(endpoint(socket(address))),
        map(
            "circuit_breakers",
            map("thresholds", List.of(threshold)),
            PROTOCOL,
            http2(
                map(
                    "connection_keepalive",
                    map("interval", "30s", "timeout", "5s"),
                    "initial_stream_window_size",
                    WINDOW_BYTES),
                map(
                    "retry_on",
                    "connect-failure,refused-stream,reset-before-request",
                    "num_retries",
                    1))));
  }

  private static Map<String, Object> http2(
      Map<String, Object> options, @Nullable Map<String, Object> retries) {
    return map(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        any(
            "extensions.upstreams.http.v3.HttpProtocolOptions",
            "retry_policy",
            retries,
            "explicit_http_config",
            map("http2_protocol_options", options)));
  }

  private static Map<String, Object> cluster(
      String name, boolean fixed, List<Map<String, Object>> endpoints, Map<String, Object> more) {
    var cluster = any(
        "config.cluster.v3.Cluster",
        "name",
        name,
        "type",
        fixed ? "STATIC" : "STRICT_DNS",
        "dns_lookup_family",
        fixed ? null : "V4_PREFERRED",
        "connect_timeout",
        "5s",
        "lb_policy",
        "LEAST_REQUEST",
        "per_connection_buffer_limit_bytes",
        BUFFER_BYTES);
    cluster.putAll(more);
    cluster.put(
        "load_assignment",
        map("cluster_name", name, "endpoints", List.of(map("lb_endpoints", endpoints))));
    return cluster;
  }

  private static Map<String, Object> endpoint(Map<String, Object> address) {
    return map("endpoint", map("address", address));
  }

  private static Map<String, Object> address(Backend.Endpoint endpoint) {
    return switch (endpoint) {
      case Backend.Ip(var address, var port) -> socket(new Address(address, port));
      case Backend.Fqdn(var hostname, var port) -> socket(new Address(hostname, port));
      case Backend.Unix(var path) -> map("pipe", map("path", path));
    };
  }

  static Map<String, Object> socket(Address address) {
    return map("socket_address", map("address", address.host(), "port_value", address.port()));
  }

  private static boolean isIp(String host) {
    try {
      return InetAddress.ofLiteral(host) != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
