package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.extproc.Needs;
import dev.gatehouse.extproc.NeedsBook;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.OrderedMatches;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.HttpRoute.BackendRef;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.Problems;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Envoy's routes: one for each match of a rule on each hostname. */
final class Routes {
  /** Room above a body limit, so that it is the service who answers a body that is a little too long. */
  private static final int SLACK = 65_536;

  private final PolicySet policies;
  private final Clusters clusters;
  private final Problems problems;
  private final boolean certificatesForwarded;
  private final NeedsBook book = new NeedsBook();

  Routes(PolicySet policies, Clusters clusters, Problems problems) {
    this.policies = policies;
    this.clusters = clusters;
    this.problems = problems;
    this.certificatesForwarded = ClientCertificates.anyForwarded(policies);
  }

  /** The route of one match, and before it the one for its preflights where CORS needs that. */
  List<Map<String, Object>> of(OrderedMatches.Entry entry, String hostname, Site site) {
    var route = route(entry, hostname, site);
    var cors = Cors.of(entry.rule());
    return cors == null || takesPreflights(entry.condition())
        ? List.of(route)
        : List.of(preflight(entry, hostname, cors), route);
  }

  private Map<String, Object> route(OrderedMatches.Entry entry, String hostname, Site site) {
    var needs = book.of(entry.rule());
    var route = map(
        "name",
        name(entry, hostname),
        "match",
        Matches.of(entry.condition()),
        "metadata",
        metadata(entry.rule()));
    route.putAll(action(entry, hostname, site, needs));
    var bytes = needs.buffer();
    if (bytes > 0) {
      // The name says request, but Envoy holds responses to it too (tried), and it wins over
      // listener and cluster.
      route.put("request_body_buffer_limit", bytes + SLACK);
    }
    var callouts = Callouts.of(entry, hostname, needs);
    if (certificatesForwarded && !ClientCertificates.forwarded(entry.rule())) {
      callouts.put(
          HttpFilters.OWNED_HEADERS, HttpFilters.removing(List.of(ClientCertificates.HEADER)));
    }
    route.put("typed_per_filter_config", callouts);
    return route;
  }

  /** What becomes of a request, and what changes in its and the response's headers. */
  private Map<String, Object> action(
      OrderedMatches.Entry entry, String hostname, Site site, Needs needs) {
    var filters = new Filters(entry, problems);
    if (!filters.sound()) {
      return map("direct_response", map("status", 500));
    }
    var redirect = filters.redirect();
    if (redirect != null && Cors.of(entry.rule()) != null) {
      problems.warning(
          redirect.origin(),
          "spec.rules[" + entry.rule().index() + "].filters",
          "Envoy puts no CORS headers on a redirect: a browser's script will not see where it leads");
    }
    var action = redirect == null
        ? forward(entry.rule(), filters, needs)
        : map("redirect", filters.redirect(redirect, hostname, site.tls(), site.port()));
    action.putAll(filters.headers());
    return action;
  }

  private Map<String, Object> forward(AttachedRule rule, Filters filters, Needs needs) {
    var targets = targets(rule);
    var grpc = rule.httpRoute().grpc();
    if (targets.isEmpty()) {
      return map("direct_response", map("status", grpc ? 503 : 500));
    }
    var action = targets.size() == 1
        ? map("cluster", targets.getFirst().get("name"))
        : map("weighted_clusters", map("clusters", targets));
    // A gRPC client must see UNAVAILABLE (GRPCRouteRule.backendRefs), which Envoy makes of a 503.
    action.put(
        "cluster_not_found_response_code", grpc ? "SERVICE_UNAVAILABLE" : "INTERNAL_SERVER_ERROR");
    if (rule.rule().requestTimeout() != null) {
      action.put("timeout", Tree.duration(rule.rule().requestTimeout()));
    }
    if (grpc) {
      action.putAll(streaming());
      warnOfBodies(rule, needs);
    }
    action.putAll(filters.rewrite());
    if (needs.anyBody()) {
      // An upgraded connection has no body that ends, so buffering would hang it.
      action.put("upgrade_configs", List.of(map("upgrade_type", "websocket", "enabled", false)));
    }
    return map("route", action);
  }

  /**
   * A stream lasts as long as its client wants (its {@code grpc-timeout}; without one, for ever) and may be silent for an hour, as with
   * Envoy Gateway. Envoy's own 15 s for a whole response would cut it.
   */
  private static Map<String, Object> streaming() {
    return map(
        "timeout",
        "0s",
        "idle_timeout",
        "3600s",
        "max_stream_duration",
        map("grpc_timeout_header_max", "0s"));
  }

  private void warnOfBodies(AttachedRule rule, Needs needs) {
    if (needs.anyBody()) {
      problems.warning(
          rule.rule().origin(),
          "spec.rules[" + rule.index() + "]",
          "the TransformPolicy on this rule reads bodies, and those of a gRPC call are protobuf, which no step can read: each call is refused or, with onUnprocessable: Pass, goes on with its body unchanged; use steps for headers only");
    }
  }

  private List<Map<String, Object>> targets(AttachedRule rule) {
    var targets = new ArrayList<Map<String, Object>>();
    var refs = rule.rule().backendRefs();
    for (int i = 0; i < refs.size(); i++) {
      var path = "spec.rules[" + rule.index() + "].backendRefs[" + i + "]";
      var name = cluster(refs.get(i), rule.httpRoute().grpc(), path);
      if (refs.get(i).weight() > 0) {
        targets.add(map("name", name, "weight", refs.get(i).weight()));
      }
    }
    return targets;
  }

  /** A Backend that is not there was reported when its route was attached. */
  private String cluster(BackendRef backendRef, boolean grpc, String path) {
    var ref = backendRef.ref();
    var backend = policies.backend(ref);
    if (backend != null) {
      return clusters.of(backend, grpc);
    }
    if (!ref.kind().equals("Backend")) {
      problems.error(
          ref.origin(),
          path,
          "only a cluster knows where the %s \"%s/%s\" is; for a plain Envoy name a Backend (group gateway.envoyproxy.io) with its addresses"
              .formatted(ref.kind(), ref.namespace(), ref.name()));
    }
    return Clusters.INVALID;
  }

  /**
   * The {@code cors} filter answers, but only on a route that forwards, so this one would forward to nowhere. What the filter lets through
   * (an empty Origin) gets 404.
   */
  private static Map<String, Object> preflight(
      OrderedMatches.Entry entry, String hostname, Map<String, Object> cors) {
    return map(
        "name",
        name(entry, hostname) + "/preflight",
        "match",
        Matches.preflight(entry.condition()),
        "route",
        map("cluster", Clusters.INVALID, "cluster_not_found_response_code", "NOT_FOUND"),
        "typed_per_filter_config",
        map(HttpFilters.CORS, cors, HttpFilters.EXT_AUTHZ, HttpFilters.disabled()));
  }

  /** Whether a preflight finds the route itself: it comes as OPTIONS, and without the request's headers. */
  private static boolean takesPreflights(Match match) {
    return match.method() == null && match.headers().isEmpty();
  }

  /** As Envoy Gateway names routes. */
  private static String name(OrderedMatches.Entry entry, String hostname) {
    var key = entry.rule().route();
    return "%s/%s/%s/rule/%d/match/%d/%s"
        .formatted(
            key.kind().toLowerCase(Locale.ROOT),
            key.namespace(),
            key.name(),
            entry.rule().index(),
            entry.match(),
            hostname.replace('.', '_'));
  }

  /** As Envoy Gateway tells filters and logs which resource a route comes from. */
  private static Map<String, Object> metadata(AttachedRule rule) {
    var resource = map(
        "kind", rule.route().kind(),
        "name", rule.route().name(),
        "namespace", rule.route().namespace(),
        "sectionName", rule.rule().name());
    return map(
        "filter_metadata", map(Bindings.GATEWAY_METADATA, map("resources", List.of(resource))));
  }
}
