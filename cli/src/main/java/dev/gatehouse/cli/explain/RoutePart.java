package dev.gatehouse.cli.explain;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Names;
import dev.gatehouse.policy.attach.OrderedMatches;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.attach.RouteSearch;
import dev.gatehouse.policy.resource.Gateway;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The route that a request takes, and why.
 *
 * @param taken null where there is none, or nobody can say
 * @param hostname of the virtual host; empty where there is none
 * @param tried the virtual host's matches in Envoy's order; empty where the route was given
 * @param problem why it cannot be said; empty where it can
 */
record RoutePart(
    OrderedMatches.@Nullable Entry taken,
    String hostname,
    List<RouteSearch.Tried> tried,
    String problem) {

  static RoutePart of(Asked asked, Message request, PolicySet policies) {
    return asked.route() == null
        ? matched(asked, request, policies)
        : given(asked, asked.route(), policies);
  }

  @Nullable
  AttachedRule rule() {
    return taken == null ? null : taken.rule();
  }

  private static RoutePart matched(Asked asked, Message request, PolicySet policies) {
    var results = RouteSearch.of(policies).find(request).stream()
        .filter(result -> is(asked.listener(), result))
        .toList();
    if (results.isEmpty()) {
      throw new BadQuestion("no listener \"" + asked.listener() + "\" "
          + Names.thereAre(String.valueOf(asked.listener()), listeners(policies)));
    }
    var unsure = results.stream().filter(result -> result.problem() != null).findFirst();
    if (unsure.isPresent()) {
      var result = unsure.get();
      return new RoutePart(
          null,
          Objects.requireNonNullElse(result.hostname(), ""),
          result.tried(),
          Objects.requireNonNullElse(result.problem(), ""));
    }
    var found = results.stream().filter(result -> result.taken() != null).toList();
    if (found.size() > 1) {
      var byScheme = found.stream()
          .filter(
              result -> result.listeners().getFirst().protocol().equalsIgnoreCase(asked.scheme()))
          .toList();
      found = byScheme.size() == 1 ? byScheme : found;
    }
    if (found.size() > 1) {
      throw new BadQuestion("several listeners have a route for it; choose one with --listener: "
          + String.join(", ", found.stream().map(RoutePart::listener).toList()));
    }
    var result = found.isEmpty() ? results.getFirst() : found.getFirst();
    return new RoutePart(
        result.taken(), Objects.requireNonNullElse(result.hostname(), ""), result.tried(), "");
  }

  private static String listener(RouteSearch.Result result) {
    return String.valueOf(Objects.requireNonNull(result.taken()).rule().listener());
  }

  private static boolean is(@Nullable String wanted, RouteSearch.Result result) {
    if (wanted == null) {
      return true;
    }
    var gateway = result.gateway().meta().id();
    return wanted.equals(gateway)
        || result.listeners().stream()
            .map(Gateway.Listener::name)
            .anyMatch(name -> wanted.equals(gateway + "/" + name));
  }

  private static List<String> listeners(PolicySet policies) {
    return policies.gateways().stream()
        .flatMap(gateway -> gateway.listeners().stream()
            .map(listener -> gateway.meta().id() + "/" + listener.name()))
        .toList();
  }

  /** The first match of a rule that was named, as if it had matched. */
  private static RoutePart given(Asked asked, String route, PolicySet policies) {
    var named = policies.rules().stream()
        .filter(rule -> names(route, rule))
        .filter(rule -> asked.listener() == null
            || rule.listener().toString().equals(asked.listener())
            || rule.gateway().meta().id().equals(asked.listener()))
        .toList();
    if (named.isEmpty()) {
      boolean whole = route.chars().filter(c -> c == '/').count() < 3;
      var known = policies.rules().stream()
          .map(rule -> whole ? whole(rule) : rule.route().toString())
          .distinct()
          .toList();
      throw new BadQuestion("no route \"" + route + "\" " + Names.thereAre(route, known));
    }
    if (named.size() > 1) {
      throw new BadQuestion("several rules are \"" + route
          + "\"; say which, and on which --listener: "
          + String.join(
              ", ",
              named.stream()
                  .map(rule -> rule.route() + " on " + rule.listener())
                  .toList()));
    }
    var rule = named.getFirst();
    return new RoutePart(
        new OrderedMatches.Entry(rule, 0, rule.rule().matches().getFirst()),
        rule.hostnames().getFirst(),
        List.of(),
        "");
  }

  /** {@code kind/namespace/name} means all rules of it. */
  private static boolean names(String route, AttachedRule rule) {
    return route.equals(rule.route().toString()) || route.equals(whole(rule));
  }

  private static String whole(AttachedRule rule) {
    var key = rule.route();
    return key.kind() + "/" + key.namespace() + "/" + key.name();
  }

  void print(Page page) {
    page.heading("Route");
    if (taken == null) {
      page.verdict(
          false,
          problem.isEmpty()
              ? "none: Envoy answers 404 and asks nobody"
              : "nobody can say: " + problem);
    } else {
      var rule = taken.rule();
      page.verdict(true, rule.route() + " on listener " + rule.listener());
      page.dim("rule " + rule.index() + ", match " + taken.match() + " ("
          + RouteSearch.text(taken.condition()) + "), host " + hostname + ", at "
          + rule.rule().origin());
    }
    for (var each : tried) {
      var where = each.entry().rule().route() + " ("
          + RouteSearch.text(each.entry().condition()) + "): " + each.why();
      page.dim(switch (each.answer()) {
            case TAKEN -> "taken   ";
            case BEHIND -> "behind  ";
            case NO -> "no      ";
            case UNSURE -> "unsure  ";
          }
          + where);
    }
  }

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    if (taken != null) {
      var rule = taken.rule();
      json.put("route", rule.route().toString());
      json.put("listener", rule.listener().toString());
      json.put("rule", rule.index());
      json.put("match", RouteSearch.text(taken.condition()));
      json.put("hostname", hostname);
      json.put("at", rule.rule().origin().toString());
    }
    if (!problem.isEmpty()) {
      json.put("problem", problem);
    }
    json.put("tried", tried.stream().map(RoutePart::json).toList());
    return json;
  }

  private static Map<String, Object> json(RouteSearch.Tried tried) {
    var json = new LinkedHashMap<String, Object>();
    json.put("route", tried.entry().rule().route().toString());
    json.put("match", RouteSearch.text(tried.entry().condition()));
    json.put("answer", tried.answer().name().toLowerCase(java.util.Locale.ROOT));
    json.put("why", tried.why());
    return json;
  }
}
