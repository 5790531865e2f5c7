package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Gateway;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The virtual hosts of one port of a Gateway. A hostname's requests belong to the listener with the most specific hostname that covers it,
 * and to no other (Gateway API, listener isolation); and to its most specific virtual host, whether a route matches there or not.
 */
final class PortTable<P> {
  private final Map<String, VirtualHost<P>> exact;
  private final Regions<VirtualHost<P>> suffixes;
  private final @Nullable VirtualHost<P> any;

  PortTable(Map<String, VirtualHost<P>> hosts) {
    var exact = new HashMap<String, VirtualHost<P>>();
    var suffixes = new HashMap<String, VirtualHost<P>>();
    hosts.forEach((hostname, host) -> {
      if (hostname.startsWith("*.")) {
        suffixes.put(hostname.substring(1), host);
      } else if (!hostname.equals(Hostnames.ANY)) {
        exact.put(hostname, host);
      }
    });
    this.exact = Map.copyOf(exact);
    this.suffixes = new Regions<>(suffixes);
    this.any = hosts.get(Hostnames.ANY);
  }

  /** What tells one table from another: tables of the same routes with the same plans are one. */
  record Content<P>(Map<String, List<Routed<P>>> hosts) {}

  record Routed<P>(RouteKey route, int index, Lookup<P> plan) {}

  /** The tables of all Gateways' ports, those that would answer alike once. */
  static <P> List<PortTable<P>> of(
      PolicySet set, Function<AttachedRule, Lookup<P>> plan, Lookup<P> unsure) {
    var rulesOf = rulesOf(set);
    var seen = new HashSet<Content<P>>();
    var tables = new ArrayList<PortTable<P>>();
    for (var gateway : set.gateways()) {
      for (var port : ports(gateway)) {
        var hosts = hosts(gateway, port, rulesOf);
        if (seen.add(content(set, hosts, plan))) {
          var compiled = new HashMap<String, VirtualHost<P>>();
          hosts.forEach((hostname, rules) -> {
            var known = known(set, rules, plan);
            compiled.put(
                hostname,
                new VirtualHost<>(
                    rules, (OrderedMatches.Entry e) -> known.apply(e.rule()), unsure));
          });
          tables.add(new PortTable<>(compiled));
        }
      }
    }
    return List.copyOf(tables);
  }

  /**
   * As Envoy's {@code RouteMatcher::findVirtualHost}: without the port, in lower case; the exact host, else the longest wildcard, else any.
   */
  @Nullable
  VirtualHost<P> host(String host) {
    var own = exact.get(host);
    if (own != null) {
      return own;
    }
    for (int dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
      var found = suffixes.get(host, dot, host.length());
      if (found != null) {
        return found;
      }
    }
    return any;
  }

  static Map<ListenerKey, List<AttachedRule>> rulesOf(PolicySet set) {
    var rulesOf = new HashMap<ListenerKey, List<AttachedRule>>();
    set.rules()
        .forEach(rule ->
            rulesOf.computeIfAbsent(rule.listener(), k -> new ArrayList<>()).add(rule));
    return rulesOf;
  }

  /** Listeners by port; those that cannot share one (one hostname, two protocols) each in a table of its own. */
  static List<List<Gateway.Listener>> ports(Gateway gateway) {
    var ports = new LinkedHashMap<String, List<Gateway.Listener>>();
    for (var listener : gateway.listeners()) {
      var key = listener.port() + " " + listener.protocol();
      while (ports.getOrDefault(key, List.of()).stream()
          .anyMatch(other -> hostname(other).equals(hostname(listener)))) {
        key += " again";
      }
      ports.computeIfAbsent(key, k -> new ArrayList<>()).add(listener);
    }
    return List.copyOf(ports.values());
  }

  /** The rules of every hostname of a port. */
  static Map<String, List<AttachedRule>> hosts(
      Gateway gateway,
      List<Gateway.Listener> listeners,
      Map<ListenerKey, List<AttachedRule>> rulesOf) {
    var hosts = new LinkedHashMap<String, List<AttachedRule>>();
    for (var listener : listeners) {
      hosts.computeIfAbsent(hostname(listener), h -> new ArrayList<>());
      for (var rule :
          rulesOf.getOrDefault(ListenerKey.of(gateway.meta(), listener.name()), List.of())) {
        for (var hostname : rule.hostnames()) {
          if (owner(listeners, hostname).equals(listener)) {
            hosts.computeIfAbsent(hostname, h -> new ArrayList<>()).add(rule);
          }
        }
      }
    }
    return hosts;
  }

  private static Gateway.Listener owner(List<Gateway.Listener> listeners, String hostname) {
    return listeners.stream()
        .filter(listener -> Hostnames.covers(hostname(listener), hostname))
        .max(Comparator.<Gateway.Listener>comparingInt(l -> hostname(l).startsWith("*") ? 0 : 1)
            .thenComparingInt(l -> hostname(l).length()))
        .orElseThrow();
  }

  /**
   * The plans of a hostname's rules. Where an HTTPRoute and a GRPCRoute both want it, gateways differ in what they do, so nobody knows
   * which route they take.
   */
  private static <P> Function<AttachedRule, Lookup<P>> known(
      PolicySet set, List<AttachedRule> rules, Function<AttachedRule, Lookup<P>> plan) {
    return rules.stream().anyMatch(set::givesWay)
        ? rule -> new Lookup.Unresolved<>(
            "an HTTPRoute and a GRPCRoute share the host, and gateways differ in which one they take")
        : plan;
  }

  private static <P> Content<P> content(
      PolicySet set,
      Map<String, List<AttachedRule>> hosts,
      Function<AttachedRule, Lookup<P>> plan) {
    var content = new HashMap<String, List<Routed<P>>>();
    hosts.forEach((hostname, rules) -> {
      var known = known(set, rules, plan);
      content.put(
          hostname,
          rules.stream()
              .map(rule -> new Routed<>(rule.route(), rule.index(), known.apply(rule)))
              .toList());
    });
    return new Content<>(content);
  }

  private static String hostname(Gateway.Listener listener) {
    return Hostnames.agreed(listener.hostname(), List.of()).getFirst();
  }
}
