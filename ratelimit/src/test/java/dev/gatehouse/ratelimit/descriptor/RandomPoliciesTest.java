package dev.gatehouse.ratelimit.descriptor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.Cost;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.ratelimit.Shop;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever rules a policy has, what {@code wire} writes for each of them finds that rule's limit in the tree, and no other's. */
final class RandomPoliciesTest {
  private static final List<String> SELECTORS = List.of(
      "headers: [{name: x-a, type: Distinct}]",
      "headers: [{name: x-a, value: one}, {name: x-b, type: Distinct}]",
      "methods: [{value: GET}, {value: PUT}]",
      "path: {value: /a}",
      "sourceCIDR: {value: 10.0.0.0/8, type: Distinct}",
      "sourceCIDR: {value: 10.0.0.0/8, invert: true}",
      "queryParams: [{name: q, type: Distinct}]",
      "queryParams: [{name: q, value: one}]");
  private static final List<String> OURS = List.of(
      "metadata: [{key: gatehouse.sub, type: Distinct}]",
      "metadata: [{key: 'auth:method', value: jwt}, {key: gatehouse.sub, type: Distinct}]");

  private final Random random = new Random(20_261_125);

  @Test
  void each_descriptor_finds_its_rule() {
    int found = 0;
    for (int i = 0; i < 300; i++) {
      boolean ours = random.nextBoolean();
      var rules = new ArrayList<String>();
      int count = 1 + random.nextInt(6);
      for (int rule = 0; rule < count; rule++) {
        // The number of requests tells which rule a limit is of.
        rules.add(rule(1000 + rule, ours));
      }
      var load = ours
          ? Shop.ours("rules:\n- " + String.join("\n- ", rules) + "\n")
          : Shop.with(rules.toArray(String[]::new));
      found += look(load, rules);
    }
    assertThat(found).isGreaterThan(1000);
  }

  private String rule(int requests, boolean ours) {
    var parts = new ArrayList<String>();
    for (int i = random.nextInt(3); i > 0; i--) {
      var some = ours && random.nextBoolean() ? OURS : SELECTORS;
      parts.add("{" + some.get(random.nextInt(some.size())) + "}");
    }
    var rule = new StringBuilder("{limit: {requests: " + requests + ", unit: Day}");
    if (!parts.isEmpty()) {
      rule.append(", clientSelectors: [").append(String.join(", ", parts)).append(']');
    }
    if (random.nextBoolean()) {
      rule.append(", shared: true");
    }
    if (random.nextBoolean()) {
      rule.append(", cost: {response: {from: Number, number: 7}}");
    }
    if (ours && random.nextBoolean()) {
      rule.append(", plan: {limits: {gold: {requests: 1, unit: Day}}}");
    }
    return rule.append('}').toString();
  }

  /** How many descriptors found their limits. */
  private static int look(Load load, List<String> rules) {
    assertThat(load.problems().hasErrors())
        .as("%s: %s", rules, load.problems().all())
        .isFalse();
    var problems = new Problems();
    var tree = new LimitTreeCompiler().compile(load.policies(), null, problems);
    var at = load.policies().rules().getFirst();
    var hit = new HashMap<String, Long>();
    for (var limit : Actions.of(at, 1, "shop.example")) {
      var match = tree.match(limit.domain(), descriptor(limit.actions()));
      if (problems.hasErrors()) {
        // Two rules that Envoy Gateway's descriptors do not tell apart.
        assertThat(match).as("%s", rules).isEqualTo(new Match.Refused("shop/limits"));
        continue;
      }
      assertThat(match).as("%s of %s", limit, rules).isInstanceOf(Match.Limited.class);
      var found = ((Match.Limited) match).limit();
      assertThat(limit.hits() != null).isEqualTo(limit.onStreamDone());
      assertThat(limit.hits()).isIn(null, new Cost.Fixed(7));
      // One counter a rule, whichever of its methods, and whether it is asked or has ended.
      assertThat(hit.merge(found.id(), found.requests(), (a, b) -> a.equals(b) ? a : -1))
          .as("%s of %s", limit, rules)
          .isGreaterThanOrEqualTo(1000);
    }
    if (!problems.hasErrors()) {
      assertThat(hit).as("%s", rules).hasSize(rules.size());
      assertThat(hit.values()).doesNotHaveDuplicates();
    }
    return hit.size();
  }

  /** What Envoy would send. */
  private static RateLimitDescriptor descriptor(List<Action> actions) {
    var descriptor = RateLimitDescriptor.newBuilder();
    for (var action : actions) {
      descriptor
          .addEntriesBuilder()
          .setKey(action.key())
          .setValue(action.value() == null ? "some" : action.value());
    }
    return descriptor.build();
  }
}
