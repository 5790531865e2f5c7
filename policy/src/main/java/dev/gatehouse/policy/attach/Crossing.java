package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Problems;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * HTTPRoutes and GRPCRoutes that want the same hosts of one listener. A gateway takes only one of such two (GRPCRouteSpec.hostnames): the
 * older, then the first by {@code namespace/name}; the other gives way. Not every gateway keeps to that, so the policies of a route that
 * gives way stay known for whoever is told that this route was taken.
 */
final class Crossing {
  /** A route under one listener. */
  record Hung(HttpRoute route, Parents.Place place) {
    ListenerKey listener() {
      return ListenerKey.of(place.gateway().meta(), place.listener().name());
    }
  }

  private record Loser(ListenerKey listener, String route) {}

  private static final Comparator<Hung> FIRST = Comparator.<Hung, Instant>comparing(
          hung -> hung.route().meta().created(), Comparator.nullsLast(Comparator.naturalOrder()))
      .thenComparing(hung -> hung.route().meta().id())
      .thenComparing(hung -> hung.route().meta().kind());

  private final Set<Loser> losers = new HashSet<>();

  Crossing(List<Hung> all, Problems problems) {
    var taken = new HashMap<ListenerKey, Map<String, Map<String, Meta>>>();
    all.stream().sorted(FIRST).forEach(hung -> {
      var kinds = taken.computeIfAbsent(hung.listener(), key -> new HashMap<>());
      var meta = hung.route().meta();
      var other = taker(hung.place().hostnames(), meta.kind(), kinds);
      if (other == null) {
        var own = kinds.computeIfAbsent(meta.kind(), kind -> new LinkedHashMap<>());
        hung.place().hostnames().forEach(hostname -> own.putIfAbsent(hostname, meta));
      } else if (losers.add(new Loser(hung.listener(), meta.title()))) {
        problems.warning(
            meta.origin(),
            "spec.hostnames",
            "%s gives way to %s (%s) on listener %s: a host is for HTTPRoutes or for GRPCRoutes, and the older route has it, or the first by name; this one gets no requests there, except from a gateway that takes both, such as Envoy Gateway; give it hostnames of its own"
                .formatted(meta.title(), other.title(), other.origin(), hung.listener()));
      }
    });
  }

  /** Whether the rule's route gives way on its listener. */
  boolean givesWay(AttachedRule rule) {
    return !losers.isEmpty()
        && losers.contains(new Loser(rule.listener(), rule.httpRoute().meta().title()));
  }

  /** The first route of another kind with one of the hosts. */
  private static @Nullable Meta taker(
      List<String> hostnames, String kind, Map<String, Map<String, Meta>> kinds) {
    for (var others : kinds.entrySet()) {
      if (others.getKey().equals(kind)) {
        continue;
      }
      for (var other : others.getValue().entrySet()) {
        if (hostnames.stream().anyMatch(hostname -> overlap(hostname, other.getKey()))) {
          return other.getValue();
        }
      }
    }
    return null;
  }

  private static boolean overlap(String one, String other) {
    return Hostnames.covers(one, other) || Hostnames.covers(other, one);
  }
}
