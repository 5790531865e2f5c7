package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;
import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.extproc.Needs;
import dev.gatehouse.policy.attach.Bindings;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP filters of every listener, in Envoy Gateway's order. ext_authz is on unless a route switches it off, so that a request that
 * escapes our routes is denied; the others are off unless a route has a configuration for them.
 *
 * <p>The route cache is never cleared: a path or header that a service changed must not lead to another route, whose policies nobody
 * asked.
 */
final class HttpFilters {
  static final String OWNED_HEADERS = "envoy.filters.http.header_mutation";
  static final String CORS = "envoy.filters.http.cors";
  static final String EXT_AUTHZ = "envoy.filters.http.ext_authz";
  static final String EXT_PROC = "envoy.filters.http.ext_proc";
  static final String RATELIMIT = "envoy.filters.http.ratelimit";

  /** The namespaces of dynamic metadata that ext-proc is told on every route. */
  static final List<String> FORWARDED = List.of(Bindings.AUTHZ_NAMESPACE);

  /** A domain that no policy has; every route names its own. */
  private static final String NO_DOMAIN = "gatehouse.dev/none";

  private HttpFilters() {}

  static List<Map<String, Object>> all(List<LimitFilter> limits) {
    var all = new ArrayList<Map<String, Object>>();
    all.add(
        optional(OWNED_HEADERS, any("extensions.filters.http.header_mutation.v3.HeaderMutation")));
    all.add(optional(CORS, any("extensions.filters.http.cors.v3.Cors")));
    all.add(map("name", EXT_AUTHZ, "typed_config", extAuthz()));
    all.add(optional(EXT_PROC, extProc()));
    limits.forEach(limit -> all.add(optional(limit.name(), ratelimit(limit))));
    all.add(map(
        "name",
        "envoy.filters.http.router",
        "typed_config",
        any("extensions.filters.http.router.v3.Router", "suppress_envoy_headers", true)));
    return all;
  }

  /** For a route that does not need a filter. */
  static Map<String, Object> disabled() {
    return any("config.route.v3.FilterConfig", "disabled", true);
  }

  /** Removes headers on every request of a virtual host, before any service sees them. */
  static Map<String, Object> removing(Collection<String> headers) {
    return any(
        "extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute",
        "mutations",
        map("request_mutations", removals(headers)));
  }

  static List<Map<String, Object>> removals(Collection<String> headers) {
    return headers.stream().map(header -> map("remove", header)).toList();
  }

  private static Map<String, Object> optional(String name, Map<String, Object> config) {
    return map("name", name, "disabled", true, "typed_config", config);
  }

  private static Map<String, Object> extAuthz() {
    return any(
        "extensions.filters.http.ext_authz.v3.ExtAuthz",
        "transport_api_version",
        "V3",
        "grpc_service",
        service(Clusters.EXT_AUTHZ, "0.5s"),
        "failure_mode_allow",
        false,
        "status_on_error",
        map("code", "ServiceUnavailable"),
        "clear_route_cache",
        false,
        "encode_raw_headers",
        true,
        "include_peer_certificate",
        true,
        "include_tls_session",
        true);
  }

  private static Map<String, Object> extProc() {
    return any(
        "extensions.filters.http.ext_proc.v3.ExternalProcessor",
        "grpc_service",
        service(Clusters.EXT_PROC, null),
        "failure_mode_allow",
        false,
        "message_timeout",
        "0.5s",
        "max_message_timeout",
        "5s",
        "processing_mode",
        map("request_header_mode", "SKIP", "response_header_mode", "SKIP"),
        "request_attributes",
        List.of(Needs.SOURCE_ADDRESS),
        // Those of the request are lost where its headers are not sent.
        "response_attributes",
        List.of(Needs.CODE_DETAILS, Needs.SOURCE_ADDRESS),
        "metadata_options",
        metadata(FORWARDED),
        "allow_mode_override",
        true,
        "route_cache_action",
        "RETAIN");
  }

  /** What ext-proc is told of other filters' dynamic metadata; its own namespace is all that it may write. */
  static Map<String, Object> metadata(List<String> forwarded) {
    return map(
        "forwarding_namespaces", map("untyped", forwarded),
        "receiving_namespaces", map("untyped", List.of(Bindings.PROCESSOR_NAMESPACE)));
  }

  private static Map<String, Object> ratelimit(LimitFilter limit) {
    return any(
        "extensions.filters.http.ratelimit.v3.RateLimit",
        "domain",
        limit.domain().isEmpty() ? NO_DOMAIN : limit.domain(),
        "timeout",
        "0.05s",
        "failure_mode_deny",
        limit.failsClosed(),
        "status_on_error",
        limit.failsClosed() ? map("code", "ServiceUnavailable") : null,
        "enable_x_ratelimit_headers",
        "DRAFT_VERSION_03",
        "rate_limited_status",
        limit.hasUsualStatus() ? null : map("code", limit.status()),
        // Envoy's UNAVAILABLE would have gRPC clients try again at once.
        "rate_limited_as_resource_exhausted",
        true,
        "rate_limit_service",
        map("transport_api_version", "V3", "grpc_service", service(Clusters.RATELIMIT, null)));
  }

  /** @param timeout of a call; null where the filter has its own */
  private static Map<String, Object> service(String cluster, @Nullable String timeout) {
    return map(
        "envoy_grpc",
        map("cluster_name", cluster),
        "timeout",
        timeout,
        "initial_metadata",
        List.of(map("key", Bindings.REQUEST_ID, "value", "%REQ(x-request-id)%")));
  }
}
