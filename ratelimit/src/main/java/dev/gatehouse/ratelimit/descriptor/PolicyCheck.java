package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.resource.BackendTrafficPolicy;
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
      var at = "spec.rateLimit.global.rules[" + i + "]";
      checkRequests(rule, at, problems);
      checkSelectors(rule, at, problems);
      var path = LimitTreeCompiler.path(Actions.of(rule, i, ANY_ROUTE).getFirst());
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

  private static void checkRequests(BackendTrafficPolicy.Rule rule, String at, Problems problems) {
    if (rule.requests() < 0 || rule.requests() > Limit.Terms.MAX_REQUESTS) {
      problems.error(
          rule.origin(),
          at + ".limit.requests",
          "value: " + rule.requests() + " (expected: 0 to " + Limit.Terms.MAX_REQUESTS + ")");
    }
  }

  /** Envoy Gateway takes the last of several, without a word. */
  private static void checkSelectors(BackendTrafficPolicy.Rule rule, String at, Problems problems) {
    var selectors = Actions.Selectors.of(rule);
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
