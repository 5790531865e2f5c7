package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.Gateway.Listener;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.HttpRoute.ParentRef;
import dev.gatehouse.policy.resource.Problems;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Hangs routes on the listeners that their {@code parentRefs} name and that let them in. */
final class Parents {
  private static final String NAMESPACE_NAME = "kubernetes.io/metadata.name";

  /** A route under one listener, for the hosts that both agree on. */
  record Place(Gateway gateway, Listener listener, List<String> hostnames) {}

  private final Map<String, Gateway> gateways = new LinkedHashMap<>();
  private final Problems problems;

  Parents(List<Gateway> gateways, Problems problems) {
    this.problems = problems;
    gateways.forEach(gateway -> this.gateways.put(gateway.meta().id(), gateway));
  }

  /** Each listener once, however many {@code parentRefs} lead to it. */
  List<Place> of(HttpRoute route) {
    var places = new LinkedHashSet<Place>();
    for (int i = 0; i < route.parentRefs().size(); i++) {
      places.addAll(of(route, route.parentRefs().get(i), "spec.parentRefs[" + i + "]"));
    }
    return List.copyOf(places);
  }

  private Set<Place> of(HttpRoute route, ParentRef ref, String path) {
    var id = ref.namespace() + "/" + ref.name();
    var gateway = gateways.get(id);
    if (gateway == null) {
      problems.warning(
          ref.origin(),
          path + ".name",
          "no Gateway \"%s\" %s".formatted(id, Names.thereAre(id, gateways.keySet())));
      return Set.of();
    }
    var named = named(gateway, ref, path);
    var places = new LinkedHashSet<Place>();
    var refusals = new ArrayList<String>();
    for (var listener : named) {
      var hostnames = Hostnames.agreed(listener.hostname(), route.hostnames());
      var kind = route.meta().kind();
      if (!listener.allowedRoutes().kinds().contains(kind)) {
        refusals.add(
            "listener \"%s\" lets in no %s (allowedRoutes.kinds)".formatted(listener.name(), kind));
      } else if (!allows(gateway, listener, route, ref, path)) {
        refusals.add(
            "listener \"%s\" lets in no routes of namespace \"%s\" (allowedRoutes.namespaces.from: %s)"
                .formatted(
                    listener.name(),
                    route.meta().namespace(),
                    capitalised(listener.allowedRoutes().from())));
      } else if (hostnames.isEmpty()) {
        refusals.add("listener \"%s\" has the hostname %s, the route has %s"
            .formatted(listener.name(), listener.hostname(), String.join(", ", route.hostnames())));
      } else {
        places.add(new Place(gateway, listener, hostnames));
      }
    }
    if (places.isEmpty() && !named.isEmpty()) {
      problems.warning(
          ref.origin(),
          path,
          "no listener of Gateway \"%s\" takes %s: %s"
              .formatted(id, route.meta().title(), String.join("; ", refusals)));
    }
    return places;
  }

  private List<Listener> named(Gateway gateway, ParentRef ref, String path) {
    var named = gateway.listeners().stream()
        .filter(l -> ref.sectionName() == null || ref.sectionName().equals(l.name()))
        .filter(l -> ref.port() == null || ref.port() == l.port())
        .toList();
    if (named.isEmpty()) {
      var section = ref.sectionName();
      var names =
          gateway.listeners().stream().map(l -> l.name() + ":" + l.port()).toList();
      problems.warning(
          ref.origin(),
          section == null ? path + ".port" : path + ".sectionName",
          "Gateway \"%s\" has no listener%s%s %s"
              .formatted(
                  gateway.meta().id(),
                  section == null ? "" : " \"" + section + "\"",
                  ref.port() == null ? "" : " on port " + ref.port(),
                  Names.thereAre(section == null ? "" : section, names)));
    }
    return named;
  }

  private boolean allows(
      Gateway gateway, Listener listener, HttpRoute route, ParentRef ref, String path) {
    var namespace = route.meta().namespace();
    return switch (listener.allowedRoutes().from()) {
      case ALL -> true;
      case SAME -> namespace.equals(gateway.meta().namespace());
      case SELECTOR -> selects(listener, namespace, ref, path);
    };
  }

  /** We know of a namespace only its name, which Kubernetes puts on it as a label. */
  private boolean selects(Listener listener, String namespace, ParentRef ref, String path) {
    var labels = listener.allowedRoutes().matchLabels();
    var name = labels.get(NAMESPACE_NAME);
    if (name != null && !name.equals(namespace)) {
      return false;
    }
    if (labels.keySet().stream().allMatch(NAMESPACE_NAME::equals)) {
      return true;
    }
    problems.error(
        ref.origin(),
        path,
        "listener \"%s\" (%s) selects namespaces by the labels %s, and the labels of namespace \"%s\" are not known here: select by %s, or use from: Same or All"
            .formatted(listener.name(), listener.origin(), labels, namespace, NAMESPACE_NAME));
    return false;
  }

  private static String capitalised(Gateway.From from) {
    return switch (from) {
      case SAME -> "Same";
      case ALL -> "All";
      case SELECTOR -> "Selector";
    };
  }
}
