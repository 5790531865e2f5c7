package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;
import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.extproc.Needs;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.HttpRoute.BackendRef;
import dev.gatehouse.policy.resource.Problems;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Envoy's routes: one for each match of a rule on each hostname, with what the callouts need to know of it. */
final class Routes {
  /** Room above a body limit, so that it is the service who answers a body that is a little too long. */
  private static final int SLACK = 65_536;

  private final PolicySet policies;
  private final Clusters clusters;
  private final Problems problems;

  Routes(PolicySet policies, Clusters clusters, Problems problems) {
    this.policies = policies;
    this.clusters = clusters;
    this.problems = problems;
  }

  /** The route of one match, and before it the one for its preflights where CORS needs that. */
  List<Map<String, Object>> of(AttachedRule rule, int match, String hostname, Site site) {
    var routes = new ArrayList<Map<String, Object>>();
    var cors = Cors.of(rule);
    if (cors != null && !matchesPreflight(rule, match)) {
      routes.add(preflight(rule, match, hostname, cors));
    }
    routes.add(route(rule, match, hostname, site, cors));
    return routes;
  }

  /** As Envoy Gateway names routes. */
  static String name(AttachedRule rule, int match, String hostname) {
    return "%s/%s/%s/rule/%d/match/%d/%s"
        .formatted(
            rule.route().kind().toLowerCase(Locale.ROOT),
            rule.route().namespace(),
            rule.route().name(),
            rule.index(),
            match,
            hostname.replace('.', '_'));
  }

  /**
   * A path that Envoy and an upstream may read in two ways: Envoy normalises {@code /..;x} away, but of {@code /%2e%2e;x} it makes
   * {@code /..;x}, and a servlet container then drops the parameter and goes up (CVE-2026-73551). Nothing legitimate looks like it.
   */
  static Map<String, Object> ambiguousPath() {
    return local("gatehouse/ambiguous-path", Matches.regex(".*/\\.{1,2}(;|%3[bB]).*"), 400);
  }

  /** For what no route matches; without it, ext_authz would be asked about a request that leads nowhere. */
  static Map<String, Object> notFound() {
    return local("gatehouse/not-found", map("prefix", "/"), 404);
  }

  /** For hosts of another TLS listener: the client may take its connection there (RFC 9110, section 15.5.20). */
  static Map<String, Object> misdirected() {
    return local("gatehouse/misdirected", map("prefix", "/"), 421);
  }

  private static Map<String, Object> local(String name, Map<String, Object> match, int status) {
    return map(
        "name",
        name,
        "match",
        match,
        "direct_response",
        map("status", status),
        "typed_per_filter_config",
        map(HttpFilters.EXT_AUTHZ, HttpFilters.disabled()));
  }

  private Map<String, Object> route(
      AttachedRule rule,
      int index,
      String hostname,
      Site site,
      @Nullable Map<String, Object> cors) {
    var match = rule.rule().matches().get(index);
    var needs = Needs.of(rule);
    var filters = new Filters(rule, match, problems);
    var sound = filters.sound();
    var route = map(
        "name", name(rule, index, hostname),
        "match", Matches.of(match),
        "metadata", metadata(rule));
    if (sound) {
      var redirect = filters.redirect();
      if (redirect != null) {
        if (cors != null) {
          problems.warning(
              redirect.origin(),
              "spec.rules[" + rule.index() + "].filters",
              "Envoy puts no CORS headers on a redirect: a browser's script will not see where it leads");
        }
        route.put("redirect", filters.redirect(redirect, hostname, site.tls(), site.port()));
      } else {
        route.putAll(forward(rule, filters, needs));
      }
      route.putAll(filters.headers());
    } else {
      route.put("direct_response", map("status", 500));
    }
    var bytes = Math.max(needs.requestBytes(), needs.responseBytes());
    if (bytes > 0) {
      route.put("request_body_buffer_limit", bytes + SLACK);
    }
    var callouts = new LinkedHashMap<String, Object>();
    if (cors != null) {
      callouts.put(HttpFilters.CORS, cors);
    }
    callouts.put(HttpFilters.EXT_AUTHZ, authz(rule));
    if (needs.any()) {
      callouts.put(HttpFilters.EXT_PROC, processing(rule, needs));
    }
    var limits = RateLimits.of(rule, index, hostname);
    if (limits != null) {
      callouts.put(HttpFilters.RATELIMIT, limits);
    }
    route.put("typed_per_filter_config", callouts);
    return route;
  }

  /**
   * The {@code cors} filter answers, but only on a route that forwards, so this one would forward to nowhere. What the filter lets through
   * (an empty Origin) gets 404.
   */
  private static Map<String, Object> preflight(
      AttachedRule rule, int index, String hostname, Map<String, Object> cors) {
    return map(
        "name",
        name(rule, index, hostname) + "/preflight",
        "match",
        Matches.preflight(rule.rule().matches().get(index)),
        "route",
        map("cluster", Clusters.INVALID, "cluster_not_found_response_code", "NOT_FOUND"),
        "typed_per_filter_config",
        map(HttpFilters.CORS, cors, HttpFilters.EXT_AUTHZ, HttpFilters.disabled()));
  }

  /** Whether a preflight finds the route itself: it comes as OPTIONS, and without the request's headers. */
  private static boolean matchesPreflight(AttachedRule rule, int index) {
    var match = rule.rule().matches().get(index);
    return match.method() == null && match.headers().isEmpty();
  }

  private Map<String, Object> forward(AttachedRule rule, Filters filters, Needs needs) {
    var targets = targets(rule);
    if (targets.isEmpty()) {
      return map("direct_response", map("status", 500));
    }
    var action = targets.size() == 1
        ? map("cluster", targets.getFirst().get("name"))
        : map("weighted_clusters", map("clusters", targets));
    action.put("cluster_not_found_response_code", "INTERNAL_SERVER_ERROR");
    if (rule.rule().requestTimeout() != null) {
      action.put("timeout", Tree.duration(rule.rule().requestTimeout()));
    }
    action.putAll(filters.rewrite());
    if (needs.requestBody() || needs.responseBody()) {
      // An upgraded connection has no body that ends, so buffering would hang it.
      action.put("upgrade_configs", List.of(map("upgrade_type", "websocket", "enabled", false)));
    }
    return map("route", action);
  }

  private List<Map<String, Object>> targets(AttachedRule rule) {
    var targets = new ArrayList<Map<String, Object>>();
    var refs = rule.rule().backendRefs();
    for (int i = 0; i < refs.size(); i++) {
      var name = cluster(refs.get(i), "spec.rules[" + rule.index() + "].backendRefs[" + i + "]");
      if (refs.get(i).weight() > 0) {
        targets.add(map("name", name, "weight", refs.get(i).weight()));
      }
    }
    return targets;
  }

  private String cluster(BackendRef backendRef, String path) {
    var ref = backendRef.ref();
    var backend = policies.backend(ref);
    if (backend != null) {
      return clusters.of(backend);
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

  private static Map<String, Object> authz(AttachedRule rule) {
    return rule.guarded()
        ? any(
            "extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
            "check_settings",
            map(
                "context_extensions",
                map(
                    Bindings.LISTENER, rule.listener().toString(),
                    Bindings.ROUTE, rule.route().toString())))
        : HttpFilters.disabled();
  }

  private static Map<String, Object> processing(AttachedRule rule, Needs needs) {
    return any(
        "extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
        "overrides",
        map(
            "processing_mode",
            map(
                "request_header_mode", needs.requestHeaders() ? "SEND" : "SKIP",
                "response_header_mode", needs.responseHeaders() ? "SEND" : "SKIP",
                "request_body_mode", needs.requestBody() ? "BUFFERED" : "NONE",
                "response_body_mode", needs.responseBody() ? "BUFFERED" : "NONE",
                "request_trailer_mode", "SKIP",
                "response_trailer_mode", "SKIP"),
            "grpc_initial_metadata",
            List.of(
                map("key", Bindings.LISTENER_METADATA, "value", rule.listener().toString()),
                map("key", Bindings.ROUTE_METADATA, "value", rule.route().toString()))));
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
