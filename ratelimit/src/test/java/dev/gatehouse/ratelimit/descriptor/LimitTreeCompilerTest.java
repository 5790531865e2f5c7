package dev.gatehouse.ratelimit.descriptor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.ratelimit.Shop;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.RateLimit;
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
        for (var limit : Actions.of(rule, match, host)) {
          assertThat(tree.match(limit.domain(), descriptor(limit.actions())))
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
    assertThat(tree.limits().stream().map(Limit::id))
        .hasSize(4 + LimitTreeCompiler.WARM_UP.size())
        .doesNotHaveDuplicates();
  }

  @Test
  void the_routes_of_a_rejected_policy_are_refused() {
    var load = Shop.with("{limit: {requests: 5, unit: Fortnight}}");
    var refused = compile(load)
        .match(
            Shop.DOMAIN,
            descriptor(Actions.of(load.policies().rules().getFirst(), 0, "shop.example")
                .getFirst()
                .actions()));
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
  void rules_of_a_rate_limit_policy_with_nothing_but_the_same_address_are_told_apart() {
    var load = Shop.ours("""
        rules:
        - {clientSelectors: [{sourceCIDR: {value: 10.0.0.0/8}}], limit: {requests: 5, unit: Second}}
        - {clientSelectors: [{sourceCIDR: {value: 10.0.0.0/8}}], limit: {requests: 100, unit: Hour}}
        """);
    var tree = compile(load);

    assertThat(problems.all()).isEmpty();
    assertThat(of(load).stream()
            .map(limit -> limited(tree, limit).limit().requests())
            .toList())
        .containsExactly(5L, 100L);
  }

  @Test
  void a_rate_limit_policy_says_how_it_counts_and_how_it_answers() {
    var load = Shop.ours("""
        rules:
        - {name: burst, algorithm: TokenBucket, onUnavailable: Local, limit: {requests: 60, unit: Minute, every: 5, burst: 7}}
        - {name: slide, algorithm: SlidingWindow, onUnavailable: Deny, shadowMode: true, limit: {requests: 10, unit: Hour}}
        - {algorithm: TokenBucket, limit: {requests: 60, unit: Hour}}
        response: {limitHeaders: IETF, headers: {content-type: application/json, x-help: please}, body: "{}"}
        """);
    var tree = compile(load);
    var terms =
        of(load).stream().map(limit -> limited(tree, limit).limit().terms()).toList();

    var bucket = terms.getFirst();
    assertThat(bucket.algorithm()).isEqualTo(Algorithm.TOKEN_BUCKET);
    assertThat(bucket.window()).isEqualTo(Window.of(Unit.MINUTE, 5));
    assertThat(bucket.burst()).isEqualTo(7);
    assertThat(bucket.onUnavailable()).isEqualTo(OnUnavailable.LOCAL);
    assertThat(bucket.countsDenied()).isFalse();
    assertThat(bucket.name()).isEqualTo("burst");
    assertThat(bucket.answer())
        .isEqualTo(new Answer(
            true,
            true,
            new Answer.Denied("{}", "application/json", java.util.Map.of("x-help", "please"))));
    assertThat(terms.get(1).algorithm()).isEqualTo(Algorithm.SLIDING_WINDOW);
    assertThat(terms.get(1).onUnavailable()).isEqualTo(OnUnavailable.DENY);
    assertThat(terms.get(1).shadow()).isTrue();
    assertThat(terms.get(2).burst()).isEqualTo(60);
    assertThat(terms.get(2).onUnavailable()).isEqualTo(OnUnavailable.ALLOW);
  }

  @Test
  void a_backend_traffic_policy_counts_as_the_service_does_by_default() {
    var load = Shop.with("{limit: {requests: 5, unit: Hour}}");
    var defaults =
        new Defaults(Algorithm.SLIDING_WINDOW, false, OnUnavailable.DENY, false, false, true);
    var tree = new LimitTreeCompiler(defaults).compile(load.policies(), null, problems);

    var terms = limited(tree, of(load).getFirst()).limit().terms();
    assertThat(terms.algorithm()).isEqualTo(Algorithm.SLIDING_WINDOW);
    assertThat(terms.countsDenied()).isFalse();
    assertThat(terms.onUnavailable()).isEqualTo(OnUnavailable.DENY);
    assertThat(terms.answer()).isEqualTo(new Answer(false, true, null));
  }

  @Test
  void a_plan_is_looked_up_and_who_has_none_of_them_shares_a_counter() {
    var load = Shop.ours("""
        rules:
        - name: calls
          limit: {requests: 1, unit: Hour}
          plan: {limits: {gold: {requests: 100, unit: Minute}, silver: {requests: 10, unit: Minute}}}
        """);
    var tree = compile(load);
    var actions = of(load).getFirst();

    var gold = limited(tree, actions, "gold");
    assertThat(gold.limit().requests()).isEqualTo(100);
    assertThat(gold.limit().terms().name()).isEqualTo("calls/gold");
    assertThat(gold.subject()).isEmpty();
    assertThat(limited(tree, actions, "silver").limit().requests()).isEqualTo(10);
    var other = limited(tree, actions, "bronze");
    assertThat(other.limit().requests()).isEqualTo(1);
    assertThat(other.limit().terms().name()).isEqualTo("calls");
    assertThat(other).isEqualTo(limited(tree, actions, Action.Metadata.NOTHING));
  }

  @Test
  void a_text_of_the_metadata_that_is_not_meant_is_known_and_not_limited() {
    var load = Shop.ours("""
        rules:
        - {clientSelectors: [{metadata: [{key: a, value: x}]}], limit: {requests: 1, unit: Hour}}
        """);
    var tree = compile(load);
    var actions = of(load).getFirst();

    assertThat(limited(tree, actions, "x").limit().requests()).isEqualTo(1);
    assertThat(tree.match(actions.domain(), descriptor(actions.actions(), "y")))
        .isEqualTo(Match.Unlimited.UNLIMITED);
  }

  @Test
  void so_is_one_that_more_entries_stand_behind() {
    var load = Shop.ours("""
        rules:
        - clientSelectors: [{metadata: [{key: a, value: x}, {key: b, value: y}, {key: c, type: Distinct}]}]
          limit: {requests: 1, unit: Hour}
          plan: {limits: {gold: {requests: 2, unit: Hour}}}
          cost: {response: {from: Number, number: 1}}
        """);
    var tree = compile(load);

    for (var limit : of(load)) {
      var sent = descriptor(limit.actions()).toBuilder();
      assertThat(tree.match(limit.domain(), sent.build())).isInstanceOf(Match.Limited.class);
      for (int i = 1; i <= 2; i++) {
        var other = sent.clone().setEntries(i, entry(sent.getEntries(i).getKey(), "other"));
        assertThat(tree.match(limit.domain(), other.build())).isEqualTo(Match.Unlimited.UNLIMITED);
      }
    }
  }

  @Test
  void a_shared_rule_is_one_limit_for_all_routes() {
    var load = Shop.withHosts(
        "a.example, b.example",
        "{shared: true, clientSelectors: [{headers: [{name: x-a, type: Distinct}]}], limit: {requests: 7, unit: Hour}}");
    var tree = compile(load);

    assertThat(problems.all()).isEmpty();
    var rule = load.policies().rules().getFirst();
    assertThat(limited(tree, Actions.of(rule, 0, "a.example").getFirst()))
        .isEqualTo(limited(tree, Actions.of(rule, 1, "b.example").getFirst()));
    assertThat(tree.limits()).hasSize(1 + LimitTreeCompiler.WARM_UP.size());
  }

  @Test
  void a_responses_cost_is_counted_on_the_rules_counter_even_beyond_the_limit() {
    var load = Shop.ours("""
        rules:
        - clientSelectors: [{headers: [{name: x-user, type: Distinct}]}]
          limit: {requests: 10, unit: Hour}
          cost: {response: {from: Number, number: 6}}
          plan: {limits: {gold: {requests: 20, unit: Hour}}}
        """);
    var tree = compile(load);
    var asked = of(load).getFirst();
    var ended = of(load).getLast();

    assertThat(ended.onStreamDone()).isTrue();
    var plan = asked.actions().getLast().key();
    for (var value : List.of("gold", "none")) {
      var before = limited(tree, asked, value);
      var after = (Match.Limited) tree.match(
          ended.domain(),
          descriptor(ended.actions()).toBuilder()
              .setEntries(ended.actions().size() - 2, entry(plan, value))
              .build());
      assertThat(after.limit().id()).isEqualTo(before.limit().id());
      assertThat(after.subject()).isEqualTo(before.subject()).isEqualTo("some");
      assertThat(after.metric()).isEqualTo(before.metric());
      assertThat(after.limit().requests()).isEqualTo(before.limit().requests());
      assertThat(before.limit().terms().countsDenied()).isFalse();
      assertThat(after.limit().terms().countsDenied()).isTrue();
    }
  }

  @Test
  void a_backend_traffic_policys_rule_with_a_cost_of_responses_counts_denied_requests() {
    var load = Shop.with(
        "{limit: {requests: 5, unit: Hour}, cost: {response: {from: Number, number: 6}}}",
        "{limit: {requests: 5, unit: Hour}}");
    var defaults =
        new Defaults(Algorithm.FIXED_WINDOW, false, OnUnavailable.ERROR, false, false, false);
    var tree = new LimitTreeCompiler(defaults).compile(load.policies(), null, problems);

    assertThat(of(load).stream()
            .map(limit -> limited(tree, limit).limit().terms().countsDenied())
            .toList())
        .containsExactly(true, true, false);
  }

  @Test
  void a_window_and_a_burst_that_nobody_can_count_are_errors_that_refuse_the_route() {
    var load = Shop.ours("""
        rules:
        - {limit: {requests: 1, unit: Year, every: 101}}
        - {algorithm: TokenBucket, limit: {requests: 1, unit: Year, every: 100, burst: 4294967295}}
        - {algorithm: TokenBucket, limit: {requests: 1, unit: Year}, plan: {limits: {gold: {requests: 1, unit: Month, every: 100000}}}}
        """);
    var tree = compile(load);

    assertThat(problems.all().stream().map(Problem::toString))
        .containsExactly(
            "shop.yaml:31:5: spec.rules[0].limit.every: 101 such units are more than 100 years",
            "shop.yaml:32:5: spec.rules[1].limit.burst: 4294967295 cannot be counted exactly with 1 requests a 100 years (expected: at most 1428)",
            "shop.yaml:33:5: spec.rules[2].plan.limits[gold].every: 100000 such units are more than 100 years");
    var limit = of(load).getFirst();
    assertThat(tree.match(limit.domain(), descriptor(limit.actions())))
        .isEqualTo(new Match.Refused("shop/limits"));
  }

  @Test
  void methods_that_one_request_can_mean_twice_are_an_error() {
    compile(
        Shop.with(
            "{clientSelectors: [{methods: [{value: GET, invert: true}, {value: POST, invert: true}]}], limit: {requests: 5, unit: Second}}",
            "{clientSelectors: [{methods: [{value: GET}, {value: GET}]}], limit: {requests: 5, unit: Second}}",
            "{clientSelectors: [{methods: [{value: GET}, {value: POST}]}], limit: {requests: 5, unit: Second}}"));
    assertThat(problems.all())
        .hasSize(2)
        .allSatisfy(problem -> assertThat(problem.message()).contains("would count twice"));
  }

  @Test
  void a_cost_of_responses_is_counted_in_a_window_whatever_the_default_is() {
    var usual = Defaults.REFERENCE;
    var buckets = new Defaults(
        Algorithm.TOKEN_BUCKET,
        false,
        usual.onUnavailable(),
        usual.quota(),
        usual.calendarMonths(),
        usual.retryAfter());
    var load = Shop.with(
        "{limit: {requests: 5, unit: Hour}, cost: {response: {from: Number, number: 3}}}",
        "{clientSelectors: [{headers: [{name: x, type: Distinct}]}], limit: {requests: 6, unit: Hour}}");
    var tree = new LimitTreeCompiler(buckets).compile(load.policies(), null, problems);
    assertThat(problems.all()).isEmpty();
    assertThat(tree.limits())
        .filteredOn(limit -> limit.requests() == 5)
        .isNotEmpty()
        .allSatisfy(limit -> {
          assertThat(limit.algorithm()).isEqualTo(Algorithm.FIXED_WINDOW);
          assertThat(limit.terms().countsDenied()).isTrue();
        });
    assertThat(tree.limits())
        .filteredOn(limit -> limit.requests() == 6)
        .isNotEmpty()
        .allSatisfy(limit -> assertThat(limit.algorithm()).isEqualTo(Algorithm.TOKEN_BUCKET));
  }

  @Test
  void a_window_of_several_units_is_told_without_a_unit() throws Exception {
    var tree = new LimitTree.Builder();
    tree.limit(
        "d",
        List.of(new Step("k", "v")),
        Limit.Terms.builder(5, Window.of(Unit.MINUTE, 5), "").build());
    var told = RateLimit.parseFrom(tree.build().limits().getFirst().currentLimit());
    assertThat(told.getRequestsPerUnit()).isEqualTo(5);
    assertThat(told.getUnit()).isEqualTo(RateLimit.Unit.UNKNOWN);
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

  private static List<RouteLimit> of(Load load) {
    return Actions.of(load.policies().rules().getFirst(), 0, "shop.example");
  }

  private static Match.Limited limited(LimitTree tree, RouteLimit limit) {
    return (Match.Limited) tree.match(limit.domain(), descriptor(limit.actions()));
  }

  private static Match.Limited limited(LimitTree tree, RouteLimit limit, String last) {
    return (Match.Limited) tree.match(limit.domain(), descriptor(limit.actions(), last));
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

  /** The same with another text for the last action. */
  private static RateLimitDescriptor descriptor(List<Action> actions, String last) {
    var end = actions.size() - 1;
    return descriptor(actions).toBuilder()
        .setEntries(end, entry(actions.getLast().key(), last))
        .build();
  }

  private static RateLimitDescriptor.Entry entry(String key, String value) {
    return RateLimitDescriptor.Entry.newBuilder().setKey(key).setValue(value).build();
  }
}
