package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;
import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.OrderedMatches;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.wire.Layout.Port;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Envoy's route configurations: one for a plain port, whose listeners are told apart by the host, and one for each TLS listener, so that
 * whoever came in by one name cannot ask for another's routes.
 */
final class RouteTables {
  private final PolicySet policies;
  private final Routes routes;
  private final Problems problems;

  RouteTables(PolicySet policies, Routes routes, Problems problems) {
    this.policies = policies;
    this.routes = routes;
    this.problems = problems;
  }

  /** The name of the table that serves a listener; a file name too. */
  static String name(Site site) {
    return site.tls()
        ? "https-%d-%s".formatted(site.port(), site.key().toString().replace('/', '.'))
        : "http-" + site.port();
  }

  /** The tables of a port by name. */
  Map<String, Map<String, Object>> of(Port port) {
    var tables = new TreeMap<String, Map<String, Object>>();
    for (var site : port.sites()) {
      tables.computeIfAbsent(name(site), name -> table(name, port, site));
    }
    return tables;
  }

  private Map<String, Object> table(String name, Port port, Site site) {
    var hosts = new TreeMap<String, Map<String, Object>>();
    for (var own : port.sites()) {
      if (!name(own).equals(name)) {
        if (site.covers(own.hostname())) {
          hosts.put(own.hostname(), host(own, own.hostname(), List.of(LocalRoutes.misdirected())));
        }
        continue;
      }
      hostnames(own, port)
          .forEach((hostname, rules) ->
              hosts.put(hostname, host(own, hostname, all(rules, hostname, own))));
    }
    // A host that no listener has is not found, and ext_authz is not asked about it.
    hosts.computeIfAbsent("*", any -> host(site, any, List.of(LocalRoutes.notFound())));
    return any(
        "config.route.v3.RouteConfiguration",
        "name",
        name,
        "ignore_port_in_host_matching",
        true,
        "validate_clusters",
        false,
        // After all filters: whatever they left, and on connections that keep an older listener
        // too.
        "request_headers_to_remove",
        List.of(ClientCertificates.HEADER),
        "virtual_hosts",
        List.copyOf(hosts.values()));
  }

  /** The hostnames that a listener serves, with their rules; its own among them even if no route has it, for its requests are nobody else's. */
  private Map<String, List<AttachedRule>> hostnames(Site site, Port port) {
    var hostnames = new TreeMap<String, List<AttachedRule>>();
    hostnames.put(site.hostname(), new ArrayList<>());
    for (var rule : policies.rules()) {
      if (!rule.listener().equals(site.key()) || policies.givesWay(rule)) {
        continue;
      }
      for (var hostname : rule.hostnames()) {
        var owner = port.owner(hostname).orElse(site);
        if (owner.equals(site)) {
          hostnames.computeIfAbsent(hostname, h -> new ArrayList<>()).add(rule);
        } else {
          isolated(rule, hostname, owner);
        }
      }
    }
    return hostnames;
  }

  private void isolated(AttachedRule rule, String hostname, Site owner) {
    var servedThere = policies.rules().stream()
        .anyMatch(r -> r.listener().equals(owner.key())
            && r.route().equals(rule.route())
            && r.hostnames().contains(hostname));
    if (!servedThere) {
      problems.warning(
          rule.httpRoute().meta().origin(),
          "spec.parentRefs",
          "requests for \"%s\" belong to the listener %s, whose hostname is more specific than that of %s; the route is not attached there and gets none of them"
              .formatted(hostname, owner.key(), rule.listener()));
    }
  }

  private List<Map<String, Object>> all(List<AttachedRule> rules, String hostname, Site site) {
    var all = new ArrayList<Map<String, Object>>();
    all.add(LocalRoutes.ambiguousPath());
    if (hostname.startsWith("*")) {
      all.add(LocalRoutes.ambiguousHost());
    }
    var entries = OrderedMatches.of(rules);
    PathParameters.refused(entries).forEach(regex -> all.add(LocalRoutes.pathParameters(regex)));
    entries.forEach(entry -> all.addAll(routes.of(entry, hostname, site)));
    all.add(LocalRoutes.notFound());
    return all;
  }

  private Map<String, Object> host(Site site, String hostname, List<Map<String, Object>> routes) {
    var owned = policies.ownedHeaders(site.gateway());
    return map(
        "name",
        site.key() + "/" + hostname.replace('.', '_'),
        "domains",
        List.of(hostname),
        "typed_per_filter_config",
        owned.isEmpty() ? null : map(HttpFilters.OWNED_HEADERS, HttpFilters.removing(owned)),
        "routes",
        routes);
  }
}
