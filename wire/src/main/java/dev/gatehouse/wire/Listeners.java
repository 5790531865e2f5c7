package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;
import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.wire.Layout.Port;
import dev.gatehouse.wire.WireSettings.Address;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Envoy's listeners: one a port, with one HTTP connection manager for plain HTTP or one for each TLS listener. */
final class Listeners {
  private final PolicySet policies;
  private final WireSettings settings;
  private final Certificates certificates;
  private final Function<String, Map<String, Object>> routeTable;

  /** @param routeTable by the table's name: the fields that say where its routes are */
  Listeners(
      PolicySet policies,
      WireSettings settings,
      Certificates certificates,
      Function<String, Map<String, Object>> routeTable) {
    this.policies = policies;
    this.settings = settings;
    this.certificates = certificates;
    this.routeTable = routeTable;
  }

  /** Null if nothing can be served on the port. */
  @Nullable
  Map<String, Object> of(Port port) {
    var chains = port.tls()
        ? port.sites().stream().map(this::tlsChain).filter(c -> !c.isEmpty()).toList()
        : List.of(map("filters", filters(port.sites())));
    if (chains.isEmpty()) {
      return null;
    }
    return any(
        "config.listener.v3.Listener",
        "name",
        (port.tls() ? "https-" : "http-") + port.number(),
        "address",
        Clusters.socket(new Address(settings.bindAddress(), port.number())),
        "per_connection_buffer_limit_bytes",
        Clusters.BUFFER_BYTES,
        "listener_filters",
        port.tls() ? List.of(tlsInspector()) : null,
        "filter_chains",
        chains);
  }

  private Map<String, Object> tlsChain(Site site) {
    var own = certificates.of(site);
    if (own.isEmpty()) {
      return map();
    }
    return map(
        "filter_chain_match",
        site.hostname().equals("*") ? null : map("server_names", List.of(site.hostname())),
        "transport_socket",
        map(
            "name",
            "envoy.transport_sockets.tls",
            "typed_config",
            any(
                "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context",
                common(site, own),
                "require_client_certificate",
                ClientCertificates.required(policies, site))),
        "filters",
        filters(List.of(site)));
  }

  private Map<String, Object> common(Site site, List<Map<String, Object>> own) {
    var common = map(
        "tls_params",
        map("tls_minimum_protocol_version", "TLSv1_2"),
        "alpn_protocols",
        List.of("h2", "http/1.1"),
        "tls_certificates",
        own);
    common.putAll(ClientCertificates.validation(policies, site));
    return common;
  }

  private static Map<String, Object> tlsInspector() {
    return map(
        "name",
        "envoy.filters.listener.tls_inspector",
        "typed_config",
        any("extensions.filters.listener.tls_inspector.v3.TlsInspector"));
  }

  private List<Map<String, Object>> filters(List<Site> sites) {
    var table = RouteTables.name(sites.getFirst());
    var manager = any(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix",
        table);
    manager.putAll(routeTable.apply(table));
    manager.putAll(map(
        // What the peer is, nobody else may say. No address is internal (0.0.0.0 is nobody's, and
        // an empty list means private addresses), so that
        // nobody's x-envoy-… headers steer the router; x-request-id is ours too, because the
        // services'
        // decisions are joined by it.
        "use_remote_address",
        true,
        "xff_num_trusted_hops",
        0,
        "internal_address_config",
        map("cidr_ranges", List.of(map("address_prefix", "0.0.0.0", "prefix_len", 32))),
        "forward_client_cert_details",
        ClientCertificates.forwarding(policies, sites),
        "generate_request_id",
        true,
        "preserve_external_request_id",
        false,
        // What the services match and what the upstream gets is one path, in one spelling. An
        // escaped slash is sent back to the client as a
        // plain one (as Envoy Gateway does) and so comes to the routes like any other path.
        "normalize_path",
        true,
        "merge_slashes",
        true,
        "path_with_escaped_slashes_action",
        "UNESCAPE_AND_REDIRECT",
        // A host with a dot behind it is the same host (RFC 3986, section 3.2.2), and must not be
        // another one's, or nobody's, virtual host.
        "strip_trailing_host_dot",
        true,
        // Envoy would add its own name after all filters, when nobody can remove it any more.
        "server_header_transformation",
        "PASS_THROUGH",
        "common_http_protocol_options",
        // CGI-like upstreams take x_user for x-user.
        map("idle_timeout", "3600s", "headers_with_underscores_action", "REJECT_REQUEST"),
        "http2_protocol_options",
        map(
            "max_concurrent_streams", 100,
            "initial_stream_window_size", 65_536,
            "initial_connection_window_size", 1_048_576),
        "stream_idle_timeout",
        "300s",
        "request_headers_timeout",
        "10s",
        "upgrade_configs",
        List.of(map("upgrade_type", "websocket")),
        "early_header_mutation_extensions",
        withoutOwnedHeaders(sites),
        "access_log",
        settings.accessLog() ? List.of(standardOutput()) : null,
        "http_filters",
        HttpFilters.all(LimitFilter.of(rules(sites)))));
    return List.of(
        map("name", "envoy.filters.network.http_connection_manager", "typed_config", manager));
  }

  private Stream<AttachedRule> rules(List<Site> sites) {
    var keys = sites.stream().map(Site::key).collect(Collectors.toSet());
    return policies.rules().stream().filter(rule -> keys.contains(rule.listener()));
  }

  /**
   * Removes the headers that policies own before a route is chosen. A connection that is already open keeps the listener's configuration
   * of its beginning; therefore the virtual hosts remove the same headers a second time.
   */
  private @Nullable List<Map<String, Object>> withoutOwnedHeaders(List<Site> sites) {
    var owned = new TreeSet<String>();
    sites.forEach(site -> owned.addAll(policies.ownedHeaders(site.gateway())));
    return owned.isEmpty()
        ? null
        : List.of(map(
            "name",
            "gatehouse.owned_headers",
            "typed_config",
            any(
                "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                "mutations",
                HttpFilters.removals(owned))));
  }

  private static Map<String, Object> standardOutput() {
    return map(
        "name",
        "envoy.access_loggers.stdout",
        "typed_config",
        any("extensions.access_loggers.stream.v3.StdoutAccessLog"));
  }
}
