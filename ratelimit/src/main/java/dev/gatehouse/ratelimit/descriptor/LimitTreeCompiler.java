package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.PlanCompiler;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes the descriptor tree of BackendTrafficPolicies. The paths are those of {@link Actions}, so what {@code wire} writes is what is found
 * here. A policy that cannot be honoured is reported, and its routes are refused.
 */
public final class LimitTreeCompiler implements PlanCompiler<LimitTree> {
  /** A domain that no policy can have, since a namespace has no dot. */
  public static final String WARM_UP_DOMAIN = "gatehouse.dev/warm-up/ratelimit";

  /** The only descriptor of {@link #WARM_UP_DOMAIN}. */
  public static final Step WARM_UP = new Step("warm-up", "warm-up");

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
    tree.limit(
        WARM_UP_DOMAIN,
        List.of(WARM_UP),
        Limit.Terms.builder(1, Window.of(Unit.SECOND), "").shadow(true).build());
    var sound = new IdentityHashMap<BackendTrafficPolicy, Boolean>();
    for (var rule : rules) {
      routes(rule).forEach(route -> {
        switch (rule.traffic()) {
          case Attachment.None<BackendTrafficPolicy> none -> {}
          case Attachment.Rejected<BackendTrafficPolicy>(var meta) ->
            tree.refuse(Actions.domain(rule), path(List.of(route)), meta.id());
          case Attachment.Of<BackendTrafficPolicy>(var policy) -> {
            if (sound.computeIfAbsent(policy, p -> PolicyCheck.isSound(p, problems))) {
              add(policy, Actions.domain(rule), route, tree);
            } else {
              tree.refuse(
                  Actions.domain(rule), path(List.of(route)), policy.meta().id());
            }
          }
        }
      });
    }
    return tree.build();
  }

  /** As many as Envoy has routes for the rule: one a match and hostname. */
  private static Stream<Action.GenericKey> routes(AttachedRule rule) {
    return IntStream.range(0, rule.rule().matches().size())
        .boxed()
        .flatMap(match -> rule.hostnames().stream().map(host -> Actions.route(rule, match, host)));
  }

  private void add(
      BackendTrafficPolicy policy, String domain, Action.GenericKey route, LimitTree.Builder tree) {
    for (int i = 0; i < policy.rules().size(); i++) {
      var rule = policy.rules().get(i);
      var window = Window.of(Unit.valueOf(rule.unit().name()));
      var terms = defaults
          .terms(rule.requests(), window, policy.meta().id())
          .shadow(rule.shadowMode())
          .overridable(true)
          .build();
      // The lists of a rule's methods are one path.
      tree.limit(domain, path(Actions.of(rule, i, route).getFirst()), terms);
    }
  }

  static List<Step> path(List<Action> actions) {
    return actions.stream().map(a -> new Step(a.key(), a.value())).toList();
  }
}
