package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MethodSelector;
import dev.gatehouse.policy.resource.Problems;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What only the making of descriptors shows to be wrong with a BackendTrafficPolicy. */
final class PolicyCheck {
  private static final Action.GenericKey ANY_ROUTE = new Action.GenericKey("route", "route");

  private PolicyCheck() {}

  /** Says all that is wrong; false if there is an error among it. */
  static boolean isSound(BackendTrafficPolicy policy, Problems problems) {
    int before = problems.errors();
    Map<List<Step>, Integer> paths = new HashMap<>();
    for (int i = 0; i < policy.rules().size(); i++) {
      var rule = policy.rules().get(i);
      var at = (policy.ours() ? "spec.rules[" : "spec.rateLimit.global.rules[") + i + "]";
      checkSelectors(rule, at, problems);
      checkLimit(rule, rule.limit(), at + ".limit", problems);
      if (rule.plan() != null) {
        rule.plan()
            .limits()
            .forEach((plan, limit) ->
                checkLimit(rule, limit, at + ".plan.limits[" + plan + "]", problems));
      }
      var first = rule.shared() ? Actions.shared(policy, i) : ANY_ROUTE;
      var path = LimitTreeCompiler.path(Actions.lists(policy, i, first).getFirst());
      var twin = paths.putIfAbsent(path, i);
      if (twin != null) {
        problems.error(
            rule.origin(),
            at,
            "selects by nothing but the same sourceCIDR as rules[" + twin
                + "], and Envoy Gateway's descriptors do not tell such rules apart; add a selector to one of them,"
                + " such as a path of /, or put it into a policy of its own");
      }
    }
    return problems.errors() == before;
  }

  private static void checkLimit(
      BackendTrafficPolicy.Rule rule,
      BackendTrafficPolicy.Limit limit,
      String at,
      Problems problems) {
    var unit = Unit.valueOf(limit.unit().name());
    if (!Window.fits(unit, limit.every())) {
      problems.error(
          rule.origin(),
          at + ".every",
          limit.every() + " such units are more than " + Window.MAX_YEARS + " years");
      return;
    }
    var window = window(limit);
    if (rule.algorithm() == BackendTrafficPolicy.Algorithm.TOKEN_BUCKET
        && limit.burst() != null
        && !Limit.Terms.burstFits(limit.requests(), window, limit.burst())) {
      problems.error(
          rule.origin(),
          at + ".burst",
          "%d cannot be counted exactly with %d requests a %s (expected: at most %d)"
              .formatted(
                  limit.burst(),
                  limit.requests(),
                  window,
                  Bucket.largestBurst(limit.requests(), window.millis())));
    }
  }

  static Window window(BackendTrafficPolicy.Limit limit) {
    return Window.of(Unit.valueOf(limit.unit().name()), limit.every());
  }

  /** As many as a window allows where the limit does not say, and that fits. */
  static long burst(BackendTrafficPolicy.Limit limit, Window window) {
    return limit.burst() == null
        ? Limit.Terms.burst(limit.requests(), window, limit.requests())
        : limit.burst();
  }

  /** Each method is a descriptor of its own, and a request that two of them mean would count twice. */
  private static void checkMethods(
      List<MethodSelector> methods, BackendTrafficPolicy.Rule rule, String at, Problems problems) {
    boolean inverted = methods.stream().anyMatch(MethodSelector::invert);
    long different = methods.stream().map(MethodSelector::value).distinct().count();
    if (methods.size() > 1 && (inverted || different < methods.size())) {
      problems.error(
          rule.origin(),
          at + ".clientSelectors",
          "a request that two of the methods mean would count twice (expected: each method once, and invert: true with one alone)");
    }
  }

  /** Envoy Gateway takes the last of several, without a word. */
  private static void checkSelectors(BackendTrafficPolicy.Rule rule, String at, Problems problems) {
    var selectors = Actions.Selectors.of(rule);
    checkMethods(selectors.methods(), rule, at, problems);
    if (selectors.paths().size() > 1) {
      problems.warning(
          rule.origin(),
          at + ".clientSelectors",
          selectors.paths().size()
              + " paths, but one rule has one: the last holds; make a rule of each");
    }
    if (selectors.cidrs().size() > 1) {
      problems.warning(
          rule.origin(),
          at + ".clientSelectors",
          selectors.cidrs().size()
              + " sourceCIDRs, but one rule has one: the last holds; make a rule of each");
    }
  }
}
