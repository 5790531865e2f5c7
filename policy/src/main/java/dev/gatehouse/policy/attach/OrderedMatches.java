package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.HttpRoute.GrpcMethod;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.StringMatch;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The order in which a virtual host's matches are tried: the one place that knows it, for {@code wire}, which writes Envoy's routes so,
 * and for {@code --match-routes}, which has to come to the same route.
 *
 * <p>It is the Gateway API's (HTTPRouteRule.matches): an exact path before others; the longer path; with a method; with more headers;
 * with more query parameters; of the older route; of the route that is first by {@code namespace/name}; the rule, then the match, that
 * stands first. What the Gateway API leaves to us is done as Envoy Gateway does it: a regular expression stands behind an exact path and
 * before a prefix.
 *
 * <p>For calls it is that of GRPCRouteRule.matches: more characters in the service, then in the method, then more headers, and as above.
 * Of what can match one call, that is: service and method; the service; the method of any service; any call.
 */
public final class OrderedMatches {
  /**
   * One match of a rule.
   *
   * @param match its place in the rule, from 0
   * @param condition the match; of several conditions on one header or query parameter only the first counts (HTTPRouteMatch.headers),
   *     and the others are left out
   */
  public record Entry(AttachedRule rule, int match, Match condition) {}

  /** The first to be tried comes first. */
  public static final Comparator<Entry> PRECEDENCE = Comparator.<Entry>comparingInt(
          entry -> kind(entry.condition()))
      .thenComparing(Comparator.comparingInt(OrderedMatches::pathLength).reversed())
      .thenComparing(Comparator.comparingInt(OrderedMatches::methodLength).reversed())
      .thenComparingInt(entry -> entry.condition().method() == null ? 1 : 0)
      .thenComparing(
          Comparator.<Entry>comparingInt(entry -> entry.condition().headers().size())
              .reversed())
      .thenComparing(Comparator.<Entry>comparingInt(
              entry -> entry.condition().queryParams().size())
          .reversed())
      .thenComparing(
          entry -> route(entry).created(), Comparator.nullsLast(Comparator.<Instant>naturalOrder()))
      .thenComparing(entry -> route(entry).id())
      .thenComparingInt(entry -> entry.rule().index())
      .thenComparingInt(Entry::match);

  private OrderedMatches() {}

  /** Every match of the rules, the first to be tried first. */
  public static List<Entry> of(Collection<AttachedRule> rules) {
    return rules.stream()
        .flatMap(rule -> {
          var matches = rule.rule().matches();
          return IntStream.range(0, matches.size())
              .mapToObj(i -> new Entry(rule, i, condition(matches.get(i))));
        })
        .sorted(PRECEDENCE)
        .toList();
  }

  /** A prefix as it is compared, by whole path elements: {@code /a/} is {@code /a}, and {@code /} is empty. */
  public static String prefix(StringMatch path) {
    int end = path.value().length();
    while (end > 0 && path.value().charAt(end - 1) == '/') {
      end--;
    }
    return path.value().substring(0, end);
  }

  /** Whether it matches a method of gRPC's whatever the service: an expression that stands behind all prefixes but the root. */
  static boolean ofAnyService(Match match) {
    return match.grpc() instanceof GrpcMethod(var service, var method)
        && service.isEmpty()
        && !method.isEmpty();
  }

  private static int kind(Match match) {
    if (ofAnyService(match)) {
      return 3;
    }
    return switch (match.path().type()) {
      case EXACT -> 0;
      case REGULAR_EXPRESSION, DISTINCT -> 1;
      case PATH_PREFIX -> match.grpc() != null && prefix(match.path()).isEmpty() ? 4 : 2;
    };
  }

  /** Of a call the length of the service. */
  private static int pathLength(Entry entry) {
    var path = entry.condition().path();
    if (entry.condition().grpc() instanceof GrpcMethod(var service, var method)) {
      return service.length();
    }
    return path.type() == StringMatch.Type.PATH_PREFIX
        ? prefix(path).length()
        : path.value().length();
  }

  private static int methodLength(Entry entry) {
    var grpc = entry.condition().grpc();
    return grpc == null ? 0 : grpc.method().length();
  }

  private static Match condition(Match match) {
    return new Match(
        match.path(),
        match.method(),
        firstOfEachName(match.headers()),
        firstOfEachName(match.queryParams()),
        match.grpc());
  }

  private static List<NamedMatch> firstOfEachName(List<NamedMatch> matches) {
    var first = new LinkedHashMap<String, NamedMatch>();
    matches.forEach(match -> first.putIfAbsent(match.name(), match));
    return List.copyOf(first.values());
  }

  private static Meta route(Entry entry) {
    return entry.rule().httpRoute().meta();
  }
}
