package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Denial;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.LimitHeaders;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Rule;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.PlanCompiler;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes the descriptor tree of BackendTrafficPolicies and RateLimitPolicies. The paths are those of {@link Actions}, so what {@code wire}
 * writes is what is found here. A policy that cannot be honoured is reported, and its routes are refused.
 */
public final class LimitTreeCompiler implements PlanCompiler<LimitTree> {
  /** A domain that no policy can have, since a namespace has no dot. */
  public static final String WARM_UP_DOMAIN = "gatehouse.dev/warm-up/ratelimit";

  /** The descriptors of {@link #WARM_UP_DOMAIN}, one entry each: of limits that count in the ways that a store has. */
  public static final List<Step> WARM_UP =
      List.of(new Step("warm-up", "counted"), new Step("warm-up", "judged"));

  private final Defaults defaults;

  public LimitTreeCompiler() {
    this(Defaults.REFERENCE);
  }

  /** @param defaults of BackendTrafficPolicies, which do not say how they count */
  public LimitTreeCompiler(Defaults defaults) {
    this.defaults = defaults;
  }

  @Override
  public LimitTree compile(PolicySet policies, @Nullable LimitTree previous, Problems problems) {
    return compile(policies.rules(), problems);
  }

  LimitTree compile(List<AttachedRule> rules, Problems problems) {
    var tree = new LimitTree.Builder(defaults);
    for (var step : WARM_UP) {
      tree.limit(
          WARM_UP_DOMAIN,
          List.of(step),
          Limit.Terms.builder(Limit.Terms.MAX_REQUESTS, Window.of(Unit.SECOND), "")
              .countsDenied(step.equals(WARM_UP.getFirst()))
              .build());
    }
    var sound = new IdentityHashMap<BackendTrafficPolicy, Boolean>();
    var metadata = new MetadataCheck(problems);
    for (var at : rules) {
      if (at.traffic() instanceof Attachment.Of<BackendTrafficPolicy>(var policy)) {
        metadata.check(at, policy);
      }
      routes(at).forEach(route -> {
        switch (at.traffic()) {
          case Attachment.None<BackendTrafficPolicy> none -> {}
          case Attachment.Rejected<BackendTrafficPolicy>(var meta) -> refuse(at, route, meta, tree);
          case Attachment.Of<BackendTrafficPolicy>(var policy) -> {
            if (sound.computeIfAbsent(policy, p -> PolicyCheck.isSound(p, problems))) {
              add(at, policy, route, tree);
            } else {
              refuse(at, policy, route, tree);
            }
          }
        }
      });
    }
    return tree.build();
  }

  /** As many as Envoy has routes for the rule: one a match and hostname. */
  private static Stream<Action.GenericKey> routes(AttachedRule at) {
    return IntStream.range(0, at.rule().matches().size())
        .boxed()
        .flatMap(match -> at.hostnames().stream().map(host -> Actions.route(at, match, host)));
  }

  private static void refuse(
      AttachedRule at, Action.GenericKey route, Meta policy, LimitTree.Builder tree) {
    tree.refuse(Actions.domain(at), path(List.of(route)), policy.id());
  }

  /** What {@code wire} writes for a policy that only this compiler finds wrong. */
  private static void refuse(
      AttachedRule at,
      BackendTrafficPolicy policy,
      Action.GenericKey route,
      LimitTree.Builder tree) {
    for (int i = 0; i < policy.rules().size(); i++) {
      tree.refuse(
          Actions.domain(at, policy, policy.rules().get(i)),
          path(List.of(Actions.first(at, policy, i, route))),
          policy.meta().id());
    }
  }

  private void add(
      AttachedRule at,
      BackendTrafficPolicy policy,
      Action.GenericKey route,
      LimitTree.Builder tree) {
    for (int i = 0; i < policy.rules().size(); i++) {
      var rule = policy.rules().get(i);
      var domain = Actions.domain(at, policy, rule);
      // The lists of a rule's methods are one path.
      var actions =
          Actions.lists(policy, i, Actions.first(at, policy, i, route)).getFirst();
      var path = path(actions);
      for (int j = 0; j < path.size(); j++) {
        if (actions.get(j) instanceof Action.Metadata && path.get(j).value() != null) {
          // Another text than the one that is meant, whatever stands behind it.
          var behind = with(path.subList(j, path.size()), path(List.of(Actions.done(i))));
          tree.level(domain, with(path.subList(0, j), anything(behind)));
        }
      }
      var plan = rule.plan();
      if (plan == null) {
        limit(domain, path, terms(policy, rule, rule.limit(), rule.name()), policy, i, tree);
        continue;
      }
      var above = path.subList(0, path.size() - 1);
      var key = path.getLast().key();
      for (var each : plan.limits().entrySet()) {
        var name = rule.name().isEmpty() ? each.getKey() : rule.name() + "/" + each.getKey();
        var terms = terms(policy, rule, each.getValue(), name);
        limit(domain, with(above, List.of(new Step(key, each.getKey()))), terms, policy, i, tree);
      }
      // Behind the plans that it names: who has another, or none, counts on the rule's limit.
      var others = new Step(key, "*", true, true, false);
      limit(
          domain,
          with(above, List.of(others)),
          terms(policy, rule, rule.limit(), rule.name()),
          policy,
          i,
          tree);
    }
  }

  private static List<Step> anything(List<Step> steps) {
    return steps.stream().map(step -> new Step(step.key(), null)).toList();
  }

  /** A limit, and what counts on it when the response has ended: in any case, for what has been used cannot be denied any more. */
  private static void limit(
      String domain,
      List<Step> path,
      Limit.Terms terms,
      BackendTrafficPolicy policy,
      int index,
      LimitTree.Builder tree) {
    tree.limit(domain, path, terms);
    if (policy.ours() && policy.rules().get(index).responseCost() != null) {
      var done = Actions.done(index);
      tree.sameCounters(domain, with(path, path(List.of(done))), path, terms.countingDenied());
    }
  }

  private Limit.Terms terms(
      BackendTrafficPolicy policy, Rule rule, BackendTrafficPolicy.Limit limit, String name) {
    var window = PolicyCheck.window(limit);
    var origin = policy.meta().id();
    var terms = defaults.terms(limit.requests(), window, origin);
    if (policy.ours()) {
      var own = defaults.window(window);
      terms
          .algorithm(algorithm(rule.algorithm()), PolicyCheck.burst(limit, own))
          .countsDenied(policy.countsDenied())
          .onUnavailable(OnUnavailable.valueOf(rule.onUnavailable().name()))
          .quota(false)
          .answer(answer(policy.denial()));
    }
    if (!policy.ours() && rule.responseCost() != null) {
      // Its responses' costs come with the descriptor of its requests, as Envoy Gateway names it.
      terms.countsDenied(true);
      if (defaults.algorithm() == Algorithm.TOKEN_BUCKET) {
        // A bucket gives no more than it holds: a cost beyond that would count nothing at all.
        terms.algorithm(Algorithm.FIXED_WINDOW, 1);
      }
    }
    return terms.name(name).shadow(rule.shadowMode()).overridable(true).build();
  }

  private static Algorithm algorithm(BackendTrafficPolicy.Algorithm algorithm) {
    return Algorithm.valueOf(algorithm.name());
  }

  /** The status is the filter's, and so are {@code x-ratelimit-*}. */
  private static Answer answer(Denial denial) {
    boolean ietf = denial.limitHeaders() == LimitHeaders.IETF;
    if (denial.body() == null && denial.headers().isEmpty()) {
      return new Answer(ietf, denial.retryAfter(), null);
    }
    var headers = new LinkedHashMap<>(denial.headers());
    var contentType = headers.remove("content-type");
    return new Answer(
        ietf,
        denial.retryAfter(),
        new Answer.Denied(
            denial.body() == null ? "" : denial.body(),
            contentType == null ? "" : contentType,
            headers));
  }

  private static List<Step> with(List<Step> above, List<Step> below) {
    return Stream.concat(above.stream(), below.stream()).toList();
  }

  static List<Step> path(List<Action> actions) {
    return actions.stream().map(a -> new Step(a.key(), a.value())).toList();
  }
}
