package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Problems;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A service's plans by route: the three ways of finding one (docs/policies.md) in one place. Immutable. Knows the bindings of the
 * generation before, too, so that an Envoy that has not moved yet still finds its plans; of those before that it knows nothing, so
 * that a long life does not gather plans. A look-up that finds allocates nothing.
 *
 * <p>Plans are told apart by {@code equals}: where the gateway names a route but no Gateway, plans that are equal under all its
 * Gateways are no ambiguity.
 */
public final class RoutePlans<P> {
  private final Generation<P> now;
  private final @Nullable Generation<P> before;

  private RoutePlans(Generation<P> now, @Nullable Generation<P> before) {
    this.now = now;
    this.before = before;
  }

  /**
   * Compiles a plan for every rule.
   *
   * @param previous the generation before, whose bindings stay known until Envoy has moved; null at first
   */
  public static <P> RoutePlans<P> of(
      PolicySet set, Function<AttachedRule, P> compile, @Nullable RoutePlans<P> previous) {
    return new RoutePlans<>(new Generation<>(set, compile), previous == null ? null : previous.now);
  }

  /** By what {@code wire} wrote; null or empty strings are absent. */
  public Lookup<P> byBinding(@Nullable String listener, @Nullable String route) {
    var noListener = listener == null || listener.isEmpty();
    var noRoute = route == null || route.isEmpty();
    if (noListener && noRoute) {
      return now.unbound;
    }
    if (listener == null || route == null || noListener || noRoute) {
      return new Lookup.Unresolved<>(
          noRoute
              ? "the binding names listener " + listener + " but no route"
              : "the binding names route " + route + " but no listener");
    }
    var found = now.byBinding(listener, route);
    if (found == null && before != null) {
      found = before.byBinding(listener, route);
    }
    return found != null
        ? found
        : new Lookup.Unresolved<>("no policies for route " + route + " of listener " + listener);
  }

  /**
   * By Envoy Gateway's route metadata, which names no Gateway: plans that differ between Gateways are unresolved.
   *
   * @param sectionName the rule's name; null or empty where the gateway names none, and then all rules of the route must have equal plans
   */
  public Lookup<P> byRouteMetadata(
      String kind, String namespace, String name, @Nullable String sectionName) {
    var found = now.byMetadata(kind, namespace, name, sectionName);
    if (found == null && before != null) {
      found = before.byMetadata(kind, namespace, name, sectionName);
    }
    return found != null
        ? found
        : new Lookup.Unresolved<>("no policies for route "
            + new RouteKey(kind, namespace, name, sectionName == null ? "" : sectionName));
  }

  /**
   * By matching the request against the routes as the Gateway API and Envoy do ({@code --match-routes}). A path that is not normalised
   * is unresolved ({@link CleanPath} says what that is): configure the gateway to normalise paths, merge slashes and unescape slashes.
   */
  public Lookup<P> byMatch(RoutedRequest request) {
    return now.routes().find(request);
  }

  /**
   * Says which rules have plans that differ between listeners, so that route metadata, which names none, cannot choose. For a
   * service that finds its plans that way; where {@code wire} writes bindings it is no error.
   */
  public void reportAmbiguous(Problems problems) {
    for (var found : now.ambiguous) {
      var rule = found.rule();
      problems.error(rule.rule().origin(), "spec.rules[" + rule.index() + "]", found.why());
    }
  }

  private record Ambiguous(AttachedRule rule, String why) {}

  /** One load's plans. */
  private static final class Generation<P> {
    private final Lookup<P> unbound = new Lookup.Unbound<>();
    private final Map<String, Map<String, Lookup.Found<P>>> byListener = new HashMap<>();
    private final Map<String, Map<String, Map<String, Route<P>>>> byName = new HashMap<>();
    private final List<Ambiguous> ambiguous = new ArrayList<>();
    private final RouteIndex<P> routes;

    private Generation(PolicySet set, Function<AttachedRule, P> compile) {
      var plans = new IdentityHashMap<AttachedRule, Lookup<P>>();
      for (var rule : set.rules()) {
        var plan = new Lookup.Found<>(compile.apply(rule));
        plans.put(rule, plan);
        add(rule, plan);
      }
      findAmbiguous();
      routes = new RouteIndex<>(set, rule -> plans.getOrDefault(rule, unbound));
    }

    RouteIndex<P> routes() {
      return routes;
    }

    @Nullable
    Lookup<P> byBinding(String listener, String route) {
      var routes = byListener.get(listener);
      return routes == null ? null : routes.get(route);
    }

    @Nullable
    Lookup<P> byMetadata(String kind, String namespace, String name, @Nullable String sectionName) {
      var namespaces = byName.get(kind);
      var names = namespaces == null ? null : namespaces.get(namespace);
      var route = names == null ? null : names.get(name);
      if (route == null) {
        return null;
      }
      return sectionName == null || sectionName.isEmpty()
          ? route.whole
          : route.sections.get(sectionName);
    }

    private void add(AttachedRule rule, Lookup.Found<P> plan) {
      byListener
          .computeIfAbsent(rule.listener().toString(), key -> new HashMap<>())
          .put(rule.route().toString(), plan);
      var key = rule.route();
      byName
          .computeIfAbsent(key.kind(), k -> new HashMap<>())
          .computeIfAbsent(key.namespace(), k -> new HashMap<>())
          .computeIfAbsent(key.name(), k -> new Route<>())
          .add(rule, plan);
    }

    private void findAmbiguous() {
      for (var namespaces : byName.values()) {
        for (var names : namespaces.values()) {
          for (var route : names.values()) {
            route.settle(ambiguous);
          }
        }
      }
    }
  }

  /** A route's plans, whatever its listeners. */
  private static final class Route<P> {
    private record Planned<P>(AttachedRule rule, Lookup.Found<P> plan) {}

    private final List<Planned<P>> all = new ArrayList<>();
    private final Map<String, Lookup<P>> sections = new HashMap<>();
    private Lookup<P> whole = new Lookup.Unbound<>();

    void add(AttachedRule rule, Lookup.Found<P> plan) {
      all.add(new Planned<>(rule, plan));
    }

    void settle(List<Ambiguous> ambiguous) {
      var byRule = new LinkedHashMap<RouteKey, List<Planned<P>>>();
      var byName = new LinkedHashMap<String, List<Planned<P>>>();
      for (var planned : all) {
        byRule.computeIfAbsent(planned.rule.route(), key -> new ArrayList<>()).add(planned);
        var name = planned.rule.rule().name();
        if (name != null) {
          byName.computeIfAbsent(name, key -> new ArrayList<>()).add(planned);
        }
      }
      whole = one(
          all, "the gateway names no rule of it, and the plans of its rules or listeners differ");
      byName.forEach(
          (name, some) -> sections.put(name, one(some, "its plans differ between listeners")));
      byRule.forEach((key, some) -> {
        if (one(some, "its plans differ between listeners")
            instanceof Lookup.Unresolved<P>(var why)) {
          ambiguous.add(new Ambiguous(some.getFirst().rule, why));
        }
      });
      all.clear();
    }

    private static <P> Lookup<P> one(List<Planned<P>> some, String otherwise) {
      var first = some.getFirst();
      if (some.stream().allMatch(other -> other.plan.equals(first.plan))) {
        return first.plan;
      }
      var listeners = new LinkedHashSet<String>();
      some.forEach(planned -> listeners.add(planned.rule.listener().toString()));
      return new Lookup.Unresolved<>("route %s is ambiguous: %s (%s)"
          .formatted(first.rule.route(), otherwise, String.join(", ", listeners)));
    }
  }
}
