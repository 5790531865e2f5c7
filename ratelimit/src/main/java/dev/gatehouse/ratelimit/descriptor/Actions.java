package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.ClientSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.HeaderSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MethodSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.PathSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.QuerySelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.SourceCidr;
import dev.gatehouse.policy.resource.StringMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The descriptors that Envoy Gateway would make of a BackendTrafficPolicy: the one source of their names for {@code wire} and the service.
 *
 * <p>All selectors of a rule must hold, so their actions stand in one list, in Envoy Gateway's order: route, headers, method, path,
 * address, query. Methods are alternatives: a rule has one list for each, with equal entries, so that they share a counter. Of several
 * paths, and of several CIDRs, Envoy Gateway takes the last, and so do we (the compiler warns).
 */
public final class Actions {
  private static final String MASKED_REMOTE_ADDRESS = "masked_remote_address";

  private Actions() {}

  /** The rate limit domain of a rule: its listener, {@code namespace/gateway/listener}. */
  public static String domain(AttachedRule rule) {
    return rule.listener().toString();
  }

  /**
   * The {@code rate_limits} of the Envoy route of one match of a rule and one hostname; empty when nothing limits it. A rejected policy
   * yields the route's entry alone: the service then sees which route it is, and answers UNAVAILABLE.
   */
  public static List<List<Action>> of(AttachedRule rule, int match, String hostname) {
    var route = route(rule, match, hostname);
    return switch (rule.traffic()) {
      case Attachment.None<BackendTrafficPolicy> none -> List.of();
      case Attachment.Rejected<BackendTrafficPolicy> rejected -> List.of(List.of(route));
      case Attachment.Of<BackendTrafficPolicy>(var policy) -> {
        var lists = new ArrayList<List<Action>>();
        for (int i = 0; i < policy.rules().size(); i++) {
          lists.addAll(of(policy.rules().get(i), i, route));
        }
        yield List.copyOf(lists);
      }
    };
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
  static List<List<Action>> of(BackendTrafficPolicy.Rule rule, int index, Action.GenericKey route) {
    var selectors = Selectors.of(rule);
    if (selectors.methods().isEmpty()) {
      return List.of(list(selectors, index, route, List.of()));
    }
    return selectors.methods().stream()
        .map(method -> list(selectors, index, route, List.of(method(method, index))))
        .toList();
  }

  private static List<Action> list(
      Selectors selectors, int rule, Action.GenericKey route, List<Action> method) {
    var list = new ArrayList<Action>();
    list.add(route);
    int i = 0;
    for (var header : selectors.headers()) {
      list.add(header(header, "rule-" + rule + "-match-" + i++));
    }
    list.addAll(method);
    selectors.paths().stream()
        .reduce((first, last) -> last)
        .ifPresent(p -> list.add(path(p, rule)));
    selectors.cidrs().stream().reduce((first, last) -> last).ifPresent(c -> addAddress(c, list));
    for (var query : selectors.queryParams()) {
      list.add(query(query, "rule-" + rule + "-match-" + i++));
    }
    if (list.size() == 1) {
      var every = "rule-" + rule + "-match--1";
      list.add(new Action.GenericKey(every, every));
    }
    return List.copyOf(list);
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
      List<QuerySelector> queryParams) {
    static Selectors of(BackendTrafficPolicy.Rule rule) {
      var all = new Selectors(
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
    }
  }
}
