package dev.gatehouse.wire;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.Problems;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Which listener is where: the Gateways' listeners by the ports on which Envoy really listens. */
final class Layout {
  private Layout() {}

  /**
   * One port.
   *
   * @param sites its listeners, by hostname; all of one protocol, no two of one hostname
   */
  record Port(int number, List<Site> sites) {
    boolean tls() {
      return sites.getFirst().tls();
    }

    /**
     * The listener that a hostname's requests belong to: the one with the most specific hostname that covers it, and only that one
     * (Gateway API, listener isolation).
     */
    Optional<Site> owner(String hostname) {
      return sites.stream()
          .filter(site -> site.covers(hostname))
          .max(Comparator.<Site>comparingInt(site -> site.hostname().startsWith("*") ? 0 : 1)
              .thenComparingInt(site -> site.hostname().length()));
    }
  }

  static List<Port> of(PolicySet policies, WireSettings settings, Problems problems) {
    var ports = new TreeMap<Integer, Map<String, Site>>();
    policies.gateways().stream()
        .sorted(Comparator.comparing(gateway -> gateway.meta().id()))
        .forEach(gateway -> {
          for (int i = 0; i < gateway.listeners().size(); i++) {
            add(site(gateway, i, settings), i, ports, problems);
          }
        });
    return ports.entrySet().stream()
        .map(port -> new Port(port.getKey(), new ArrayList<>(port.getValue().values())))
        .toList();
  }

  private static Site site(Gateway gateway, int index, WireSettings settings) {
    var listener = gateway.listeners().get(index);
    var key = gateway.meta().id() + "/" + listener.name();
    return new Site(gateway, listener, settings.listenerPorts().getOrDefault(key, listener.port()));
  }

  private static void add(
      Site site, int index, Map<Integer, Map<String, Site>> ports, Problems problems) {
    var others = ports.computeIfAbsent(site.port(), port -> new TreeMap<>());
    var other = others.values().stream()
        .filter(o -> o.tls() != site.tls() || o.hostname().equals(site.hostname()))
        .findFirst();
    if (other.isPresent()) {
      problems.error(
          site.listener().origin(),
          "spec.listeners[" + index + "]",
          "port %d is taken by listener %s: listeners that share a port need one protocol (this: %s, that: %s) and different hostnames (this: %s, that: %s); this one is left out"
              .formatted(
                  site.port(),
                  other.get().key(),
                  site.listener().protocol(),
                  other.get().listener().protocol(),
                  site.hostname(),
                  other.get().hostname()));
      return;
    }
    others.put(site.hostname(), site);
  }
}
