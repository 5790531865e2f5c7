package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.attach.Conditions.Holds;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.HttpRoute.GrpcMethod;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import dev.gatehouse.policy.resource.StringMatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds a request's route for people: what is found is what {@link RoutePlans#byMatch} finds, port by port, and beside it stands what
 * else was tried and why it is not taken. Slow; no service uses it.
 */
public final class RouteSearch {
  private final List<Port> ports = new ArrayList<>();

  private RouteSearch(PolicySet set) {
    var rulesOf = PortTable.rulesOf(set);
    for (var gateway : set.gateways()) {
      for (var listeners : PortTable.ports(gateway)) {
        var table = new HashMap<String, VirtualHost<OrderedMatches.Entry>>();
        var hosts = new IdentityHashMap<VirtualHost<OrderedMatches.Entry>, Host>();
        PortTable.hosts(gateway, listeners, rulesOf).forEach((hostname, all) -> {
          var rules = all.stream().filter(rule -> !set.givesWay(rule)).toList();
          var host = new VirtualHost<OrderedMatches.Entry>(rules, Lookup.Found::new, Port.UNSURE);
          table.put(hostname, host);
          hosts.put(host, new Host(hostname, OrderedMatches.of(rules)));
        });
        ports.add(new Port(gateway, listeners, new PortTable<>(table), hosts));
      }
    }
  }

  public static RouteSearch of(PolicySet set) {
    return new RouteSearch(set);
  }

  /** What every port of every Gateway makes of a request, in the Gateways' order. */
  public List<Result> find(RoutedRequest request) {
    return ports.stream().map(port -> port.find(request)).toList();
  }

  /**
   * What one port makes of a request.
   *
   * @param listeners those that share the port
   * @param hostname of the virtual host; null when none has the request's host
   * @param taken the route; null when there is none
   * @param problem why it cannot be said which route a request takes; null when it can
   * @param tried the virtual host's matches in the order in which they are tried
   */
  public record Result(
      Gateway gateway,
      List<Gateway.Listener> listeners,
      @Nullable String hostname,
      OrderedMatches.@Nullable Entry taken,
      @Nullable String problem,
      List<Tried> tried) {}

  /** @param why in words, such as {@code the method is GET} */
  public record Tried(OrderedMatches.Entry entry, Answer answer, String why) {}

  public enum Answer {
    TAKEN,
    /** It matches too, and stands behind the one that is taken. */
    BEHIND,
    NO,
    UNSURE
  }

  private record Host(String hostname, List<OrderedMatches.Entry> entries) {}

  private record Port(
      Gateway gateway,
      List<Gateway.Listener> listeners,
      PortTable<OrderedMatches.Entry> table,
      IdentityHashMap<VirtualHost<OrderedMatches.Entry>, Host> hosts) {
    static final Lookup<OrderedMatches.Entry> UNSURE = new Lookup.Unresolved<>(RouteIndex.UNSURE);

    Result find(RoutedRequest request) {
      var target = request.path();
      int pathEnd = RouteIndex.pathEnd(target);
      if (!RouteIndex.clean(target, pathEnd)) {
        return new Result(gateway, listeners, null, null, RouteIndex.UNCLEAN, List.of());
      }
      var name = RouteIndex.host(request.host());
      if (!RouteIndex.cleanHost(name)) {
        return new Result(gateway, listeners, null, null, RouteIndex.ODD_HOST, List.of());
      }
      var virtualHost = table.host(name);
      var host = virtualHost == null ? null : hosts.get(virtualHost);
      if (virtualHost == null || host == null) {
        return new Result(gateway, listeners, null, null, null, List.of());
      }
      var found = virtualHost.find(request, target, pathEnd);
      var taken = found instanceof Lookup.Found<OrderedMatches.Entry>(var entry) ? entry : null;
      var problem = found instanceof Lookup.Unresolved<OrderedMatches.Entry>(var why) ? why : null;
      var tried = host.entries.stream()
          .map(entry -> tried(entry, taken, request, target, pathEnd))
          .toList();
      return new Result(gateway, listeners, host.hostname, taken, problem, tried);
    }
  }

  private static Tried tried(
      OrderedMatches.Entry entry,
      OrderedMatches.@Nullable Entry taken,
      RoutedRequest request,
      String target,
      int pathEnd) {
    if (entry.equals(taken)) {
      return new Tried(entry, Answer.TAKEN, "the first that matches");
    }
    var condition = entry.condition();
    if (!path(condition.path(), target, pathEnd)) {
      return new Tried(entry, Answer.NO, "the path is " + target.substring(0, pathEnd));
    }
    return switch (Conditions.of(condition).hold(request, target, pathEnd)) {
      case NO -> new Tried(entry, Answer.NO, whyNot(condition, request, target, pathEnd));
      case UNSURE -> new Tried(entry, Answer.UNSURE, RouteIndex.UNSURE);
      case YES ->
        taken == null
            ? new Tried(entry, Answer.BEHIND, "it matches too")
            : new Tried(entry, Answer.BEHIND, "it matches too, but " + whyBehind(taken, entry));
    };
  }

  private static boolean path(StringMatch path, String target, int pathEnd) {
    return switch (path.type()) {
      case EXACT -> path.value().contentEquals(target.substring(0, pathEnd));
      case PATH_PREFIX -> {
        var prefix = OrderedMatches.prefix(path);
        yield target.startsWith(prefix)
            && prefix.length() <= pathEnd
            && (prefix.length() == pathEnd || target.charAt(prefix.length()) == '/');
      }
      case REGULAR_EXPRESSION, DISTINCT -> true; // one of the conditions
    };
  }

  /** Each part of the match by itself, until one fails. */
  private static String whyNot(Match match, RoutedRequest request, String target, int pathEnd) {
    if (match.method() != null && !match.method().equals(request.method())) {
      return "the method is " + request.method();
    }
    for (var header : match.headers()) {
      var alone = new Match(anyPath(), null, List.of(header), List.of());
      if (Conditions.of(alone).hold(request, target, pathEnd) == Holds.NO) {
        return (request.header(header.name()) == null ? "there is no header " : "another header ")
            + header.name();
      }
    }
    for (var query : match.queryParams()) {
      var alone = new Match(anyPath(), null, List.of(), List.of(query));
      if (Conditions.of(alone).hold(request, target, pathEnd) == Holds.NO) {
        return "another query parameter " + query.name() + ", or none";
      }
    }
    return "the path is " + target.substring(0, pathEnd);
  }

  private static StringMatch anyPath() {
    return new StringMatch(StringMatch.Type.PATH_PREFIX, "/");
  }

  /** The first of the Gateway API's rules (HTTPRouteRule.matches, GRPCRouteRule.matches) that tells them apart. */
  private static String whyBehind(OrderedMatches.Entry taken, OrderedMatches.Entry entry) {
    var one = taken.condition();
    var other = entry.condition();
    if (one.grpc() instanceof GrpcMethod(var service, var method)
        && other.grpc() instanceof GrpcMethod(var otherService, var otherMethod)) {
      if (otherService.isEmpty() && !service.isEmpty()) {
        return "it names no service";
      }
      if (otherMethod.isEmpty() && !method.isEmpty() && otherService.equals(service)) {
        return "it names no method";
      }
    }
    if (one.path().type() != other.path().type()) {
      return "of the paths " + word(one.path()) + " goes before " + word(other.path());
    }
    if (!one.path().value().equals(other.path().value())
        && one.path().value().length() != other.path().value().length()) {
      return "its path is shorter";
    }
    if ((one.method() == null) != (other.method() == null)) {
      return "it names no method";
    }
    if (one.headers().size() != other.headers().size()) {
      return "it names fewer headers";
    }
    if (one.queryParams().size() != other.queryParams().size()) {
      return "it names fewer query parameters";
    }
    if (taken.rule().httpRoute().equals(entry.rule().httpRoute())) {
      return "it stands further down in the route";
    }
    var created = taken.rule().httpRoute().meta().created();
    return created != null && !created.equals(entry.rule().httpRoute().meta().created())
        ? "its route is younger"
        : "its route comes later by namespace and name";
  }

  private static String word(StringMatch path) {
    return switch (path.type()) {
      case EXACT -> "an exact one";
      case PATH_PREFIX -> "a prefix";
      case REGULAR_EXPRESSION, DISTINCT -> "a regular expression";
    };
  }

  /** A match as people read it: {@code GET /orders* x-a: b ?q=1}. */
  public static String text(Match match) {
    var path = match.path();
    var text = new StringBuilder(match.method() == null ? "" : match.method() + " ");
    text.append(
        switch (path.type()) {
          case EXACT -> "exactly " + path.value();
          case PATH_PREFIX -> "below " + path.value();
          case REGULAR_EXPRESSION, DISTINCT -> "matching " + path.value();
        });
    text.append(named(match.headers(), ", header "));
    text.append(named(match.queryParams(), ", parameter "));
    return text.toString();
  }

  private static String named(List<NamedMatch> matches, String word) {
    return matches.stream()
        .map(named -> word
            + named.name()
            + (named.match().type() == StringMatch.Type.EXACT ? " = " : " matching ")
            + named.match().value())
        .collect(Collectors.joining());
  }
}
