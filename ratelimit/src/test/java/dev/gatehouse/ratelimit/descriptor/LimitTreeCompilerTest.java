package dev.gatehouse.ratelimit.descriptor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.ratelimit.Shop;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LimitTreeCompilerTest {
  private final Problems problems = new Problems();

  @Test
  void every_list_of_actions_finds_its_limit() {
    var load = Shop.withHosts(
        "a.example, '*.b.example'",
        "{clientSelectors: [{headers: [{name: x-user, type: Distinct}], methods: [{value: GET}, {value: PUT}]}], limit: {requests: 5, unit: Week}}",
        "{clientSelectors: [{sourceCIDR: {value: 10.0.0.0/8, type: Distinct}}], limit: {requests: 6, unit: Day}}",
        "{limit: {requests: 7, unit: Hour}}");
    var tree = compile(load);
    assertThat(problems.all()).isEmpty();
    var rule = load.policies().rules().getFirst();
    assertThat(rule.hostnames()).hasSize(2);
    int lists = 0;
    for (var host : rule.hostnames()) {
      for (int match = 0; match < 2; match++) {
        for (var actions : Actions.of(rule, match, host)) {
          assertThat(tree.match(Shop.DOMAIN, descriptor(actions)))
              .isInstanceOfSatisfying(Match.Limited.class, limited -> {
                assertThat(limited.limit().requests()).isBetween(5L, 7L);
                assertThat(limited.limit().origin()).isEqualTo("shop/limits");
              });
          lists++;
        }
      }
    }
    assertThat(lists).isEqualTo(2 * 2 * 4);
  }

  @Test
  void every_match_and_host_counts_by_itself() {
    var tree =
        compile(Shop.withHosts("a.example, b.example", "{limit: {requests: 7, unit: Hour}}"));
    assertThat(tree.limits().stream().map(Limit::id)).hasSize(4 + 1).doesNotHaveDuplicates();
  }

  @Test
  void the_routes_of_a_rejected_policy_are_refused() {
    var load = Shop.with("{limit: {requests: 5, unit: Fortnight}}");
    var refused = compile(load)
        .match(
            Shop.DOMAIN,
            descriptor(Actions.of(load.policies().rules().getFirst(), 0, "shop.example")
                .getFirst()));
    assertThat(refused).isEqualTo(new Match.Refused("shop/limits"));
  }

  @Test
  void rules_that_envoys_descriptors_do_not_tell_apart_are_an_error() {
    var load = Shop.with(
        "{clientSelectors: [{sourceCIDR: {value: 10.0.0.0/8}}], limit: {requests: 5, unit: Second}}",
        "{clientSelectors: [{sourceCIDR: {value: 10.0.0.1/8}}], limit: {requests: 100, unit: Hour}}");
    var tree = compile(load);
    assertThat(problems.all()).singleElement().satisfies(problem -> {
      assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
      assertThat(problem.path()).isEqualTo("spec.rateLimit.global.rules[1]");
      assertThat(problem.message()).contains("the same sourceCIDR as rules[0]");
      assertThat(problem.origin().line()).isPositive();
    });
    assertThat(tree.match(
            Shop.DOMAIN,
            RateLimitDescriptor.newBuilder()
                .addEntries(entry(Shop.ROUTE, Shop.ROUTE))
                .build()))
        .isEqualTo(new Match.Refused("shop/limits"));
  }

  @Test
  void a_second_path_or_range_in_a_rule_is_warned_of() {
    compile(
        Shop.with(
            "{clientSelectors: [{path: {value: /a}, sourceCIDR: {value: 10.0.0.0/8}}, {path: {value: /b}, sourceCIDR: {value: 11.0.0.0/8}}], limit: {requests: 5, unit: Second}}"));
    assertThat(problems.all())
        .hasSize(2)
        .allSatisfy(problem -> assertThat(problem.severity()).isEqualTo(Problem.Severity.WARNING))
        .anySatisfy(problem -> assertThat(problem.message()).contains("2 paths"))
        .anySatisfy(problem -> assertThat(problem.message()).contains("2 sourceCIDRs"));
  }

  @Test
  void a_route_without_a_policy_is_not_in_the_tree() {
    assertThat(compile(Shop.withoutPolicy())
            .match(
                Shop.DOMAIN,
                RateLimitDescriptor.newBuilder()
                    .addEntries(entry(Shop.ROUTE, Shop.ROUTE))
                    .build()))
        .isEqualTo(Match.Unknown.DOMAIN);
  }

  private LimitTree compile(Load load) {
    return new LimitTreeCompiler().compile(load.policies(), null, problems);
  }

  /** What Envoy would send for the actions. */
  private static RateLimitDescriptor descriptor(List<Action> actions) {
    var descriptor = RateLimitDescriptor.newBuilder();
    for (var action : actions) {
      descriptor.addEntries(entry(action.key(), action.value() == null ? "some" : action.value()));
    }
    return descriptor.build();
  }

  private static RateLimitDescriptor.Entry entry(String key, String value) {
    return RateLimitDescriptor.Entry.newBuilder().setKey(key).setValue(value).build();
  }
}
