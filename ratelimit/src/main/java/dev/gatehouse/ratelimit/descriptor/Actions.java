package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.ClientSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.HeaderSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MethodSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.PathSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.QuerySelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Rule;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.SourceCidr;
import dev.gatehouse.policy.resource.StringMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The descriptors that Envoy Gateway would make of a BackendTrafficPolicy, and those of a RateLimitPolicy: the one source of their names
 * for {@code wire} and the service.
 *
 * <p>All selectors of a rule must hold, so their actions stand in one list, in Envoy Gateway's order: route, headers, method, path,
 * address, query; then what only a RateLimitPolicy has, metadata and plan. Methods are alternatives: a rule has one list for each, with
 * equal entries, so that they share a counter. Of several paths, and of several CIDRs, Envoy Gateway takes the last, and so do we (the
 * compiler warns).
 *
 * <p>The rules of a BackendTrafficPolicy are asked for in the domain of the listener, its shared ones in a domain of the policy, as Envoy
 * Gateway does it; Envoy makes a call for each domain. All rules of a RateLimitPolicy have one domain, so that one call decides on them
 * and a denied request counts on none.
 */
public final class Actions {
  private static final String MASKED_REMOTE_ADDRESS = "masked_remote_address";

  private Actions() {}

  /**
   * The {@code rate_limits} of the Envoy route of one match of a rule and one hostname; empty when nothing limits it. A rejected policy
   * yields the route's entry alone: the service then sees which route it is, and answers UNAVAILABLE.
   */
  public static List<RouteLimit> of(AttachedRule at, int match, String hostname) {
    var route = route(at, match, hostname);
    return switch (at.traffic()) {
      case Attachment.None<BackendTrafficPolicy> none -> List.of();
      case Attachment.Rejected<BackendTrafficPolicy> rejected ->
        List.of(new RouteLimit(domain(at), List.of(route), null, null, false, null));
      case Attachment.Of<BackendTrafficPolicy>(var policy) -> {
        var limits = new ArrayList<RouteLimit>();
        for (int i = 0; i < policy.rules().size(); i++) {
          limits.addAll(of(at, policy, i, route));
        }
        yield List.copyOf(limits);
      }
    };
  }

  private static List<RouteLimit> of(
      AttachedRule at, BackendTrafficPolicy policy, int index, Action.GenericKey route) {
    var rule = policy.rules().get(index);
    var domain = domain(at, policy, rule);
    var from = rule.limit().fromMetadata();
    var limits = new ArrayList<RouteLimit>();
    for (var list : lists(policy, index, first(at, policy, index, route))) {
      limits.add(
          new RouteLimit(domain, list, rule.requestCost(), from, false, rule.limitHeaders()));
      if (rule.responseCost() != null) {
        var ended = policy.ours() ? done(list, index) : list;
        limits.add(
            new RouteLimit(domain, ended, rule.responseCost(), from, true, rule.limitHeaders()));
      }
    }
    return limits;
  }

  /**
   * The last entry of what a RateLimitPolicy's rule counts when the response has ended. The service knows by it that nothing is to be
   * decided any more: a cost that goes beyond the limit must be counted too, or nobody would ever come to the limit.
   */
  static Action.GenericKey done(int index) {
    var name = "rule-" + index + "-response";
    return new Action.GenericKey(name, name);
  }

  private static List<Action> done(List<Action> list, int index) {
    return Stream.concat(list.stream(), Stream.of(done(index))).toList();
  }

  /** The rate limit domain of a listener, {@code namespace/gateway/listener}: of what is not shared, and of what cannot be honoured. */
  public static String domain(AttachedRule at) {
    return at.listener().toString();
  }

  /** The domain of one rule of a policy. No namespace has capital letters, so that of a RateLimitPolicy is nobody else's. */
  static String domain(AttachedRule at, BackendTrafficPolicy policy, Rule rule) {
    if (policy.ours()) {
      return BackendTrafficPolicy.RATE_LIMIT_POLICY + "/" + policy.meta().id();
    }
    return rule.shared() ? policy.meta().id() : domain(at);
  }

  /** Whether a domain is one of shared rules, for which Envoy needs a filter of its own behind the one for the rest. */
  public static boolean isApart(AttachedRule at, String domain) {
    return at.traffic() instanceof Attachment.Of<BackendTrafficPolicy>(var policy)
        && !policy.ours()
        && !domain.equals(domain(at));
  }

  /** The first entry of a rule's descriptors: the route, or {@code <namespace>/<policy>/rule/<index>} of a shared rule. */
  static Action.GenericKey first(
      AttachedRule at, BackendTrafficPolicy policy, int index, Action.GenericKey route) {
    if (policy.rules().get(index).shared()) {
      return shared(policy, index);
    }
    if (!policy.ours()) {
      return route;
    }
    var name = domain(at) + "/" + route.value();
    return new Action.GenericKey(name, name);
  }

  static Action.GenericKey shared(BackendTrafficPolicy policy, int index) {
    var name = policy.meta().id() + "/rule/" + index;
    return new Action.GenericKey(name, name);
  }

  /** The first entry of every descriptor of a route: {@code httproute/<namespace>/<name>/rule/<r>/match/<m>/<host with . as _>}. */
  static Action.GenericKey route(AttachedRule rule, int match, String hostname) {
    var route = rule.route();
    var name = route.kind().toLowerCase(Locale.ROOT)
        + "/" + route.namespace()
        + "/" + route.name()
        + "/rule/" + rule.index()
        + "/match/" + match
        + "/" + hostname.replace('.', '_');
    return new Action.GenericKey(name, name);
  }

  /** The action lists of one rule of a policy: one, or one a method. */
  static List<List<Action>> lists(BackendTrafficPolicy policy, int index, Action.GenericKey first) {
    var rule = policy.rules().get(index);
    var selectors = Selectors.of(rule);
    int number = number(policy, index);
    if (selectors.methods().isEmpty()) {
      return List.of(list(policy, rule, selectors, number, first, List.of()));
    }
    return selectors.methods().stream()
        .map(
            method -> list(policy, rule, selectors, number, first, List.of(method(method, number))))
        .toList();
  }

  /** The number that entries bear: Envoy Gateway counts the shared rules of a policy, and the others, by themselves. */
  private static int number(BackendTrafficPolicy policy, int index) {
    if (policy.ours()) {
      return index;
    }
    boolean shared = policy.rules().get(index).shared();
    return (int) policy.rules().subList(0, index).stream()
        .filter(before -> before.shared() == shared)
        .count();
  }

  private static List<Action> list(
      BackendTrafficPolicy policy,
      Rule rule,
      Selectors selectors,
      int number,
      Action.GenericKey first,
      List<Action> method) {
    var list = new ArrayList<Action>();
    list.add(first);
    int i = 0;
    for (var header : selectors.headers()) {
      list.add(header(header, "rule-" + number + "-match-" + i++));
    }
    list.addAll(method);
    selectors.paths().stream()
        .reduce((before, last) -> last)
        .ifPresent(p -> list.add(path(p, number)));
    boolean bare = list.size() == 1;
    selectors.cidrs().stream().reduce((before, last) -> last).ifPresent(c -> addAddress(c, list));
    for (var query : selectors.queryParams()) {
      list.add(query(query, "rule-" + number + "-match-" + i++));
    }
    int j = 0;
    for (var metadata : selectors.metadata()) {
      list.add(metadata(metadata, "rule-" + number + "-metadata-" + j++));
    }
    if (rule.plan() != null) {
      list.add(new Action.Metadata("rule-" + number + "-plan", rule.plan().from(), null));
    }
    if (list.size() == 1 || (policy.ours() && bare && i + j == 0 && rule.plan() == null)) {
      // Envoy Gateway's entries of an address bear no number; ours tell such rules apart.
      var every = "rule-" + number + "-match--1";
      list.add(new Action.GenericKey(every, every));
    }
    return List.copyOf(list);
  }

  private static Action metadata(MetadataSelector selector, String name) {
    return new Action.Metadata(
        name,
        selector.key(),
        selector.match().type() == StringMatch.Type.DISTINCT
            ? null
            : selector.match().value());
  }

  private static Action header(HeaderSelector header, String name) {
    return header.match().type() == StringMatch.Type.DISTINCT
        ? new Action.RequestHeader(name, header.name())
        : new Action.HeaderValueMatch(name, name, header.name(), header.match(), !header.invert());
  }

  private static Action method(MethodSelector method, int rule) {
    var name = "rule-" + rule + "-method";
    var match = new StringMatch(StringMatch.Type.EXACT, method.value());
    return new Action.HeaderValueMatch(name, name, ":method", match, !method.invert());
  }

  private static Action path(PathSelector path, int rule) {
    var name = "rule-" + rule + "-path";
    return new Action.HeaderValueMatch(
        name, name, ":path", onPathHeader(path.match()), !path.invert());
  }

  /**
   * {@code :path} carries the query, and a match on it must not: else {@code ?x} would lead a request out of its limit. Envoy Gateway does
   * so for prefixes only; we do so for all three.
   */
  private static StringMatch onPathHeader(StringMatch path) {
    var regex = switch (path.type()) {
      case PATH_PREFIX ->
        path.value().equals("/")
            ? "/.*"
            : quote(path.value().replaceFirst("/$", "")) + "(?:[/?#;].*)?";
      case EXACT -> quote(path.value()) + "(?:[?#;].*)?";
      case REGULAR_EXPRESSION -> "(?:" + path.value() + ")(?:[?#].*)?";
      case DISTINCT -> throw new IllegalArgumentException("a path selector cannot be Distinct");
    };
    return new StringMatch(StringMatch.Type.REGULAR_EXPRESSION, regex);
  }

  /** RE2 has {@code \Q…\E}, but a backslash before each special character reads better in an Envoy configuration. */
  private static String quote(String literal) {
    return literal.replaceAll("[\\\\.+*?()|\\[\\]{}^$]", "\\\\$0");
  }

  private static void addAddress(SourceCidr source, List<Action> list) {
    var cidr = Cidr.canonical(source.cidr());
    var value = source.invert() ? "invert:" + cidr : cidr;
    list.add(new Action.RemoteAddressMatch(MASKED_REMOTE_ADDRESS, value, cidr, source.invert()));
    if (source.distinct()) {
      list.add(new Action.RemoteAddress());
    }
  }

  private static Action query(QuerySelector query, String name) {
    return query.match().type() == StringMatch.Type.DISTINCT
        ? new Action.QueryParameter(name, query.name())
        : new Action.QueryParameterValueMatch(
            name, name, query.name(), query.match(), !query.invert());
  }

  /** The selectors of a rule, all of which must hold, as one. */
  record Selectors(
      List<HeaderSelector> headers,
      List<MethodSelector> methods,
      List<PathSelector> paths,
      List<SourceCidr> cidrs,
      List<QuerySelector> queryParams,
      List<MetadataSelector> metadata) {
    static Selectors of(Rule rule) {
      var all = new Selectors(
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>());
      rule.selectors().forEach(all::add);
      return all;
    }

    private void add(ClientSelector selector) {
      headers.addAll(selector.headers());
      methods.addAll(selector.methods());
      if (selector.path() != null) {
        paths.add(selector.path());
      }
      if (selector.sourceCidr() != null) {
        cidrs.add(selector.sourceCidr());
      }
      queryParams.addAll(selector.queryParams());
      metadata.addAll(selector.metadata());
    }
  }
}
