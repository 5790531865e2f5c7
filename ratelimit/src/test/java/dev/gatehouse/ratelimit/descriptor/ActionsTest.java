package dev.gatehouse.ratelimit.descriptor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Cost;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.LimitHeaders;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import dev.gatehouse.policy.resource.StringMatch;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.ratelimit.Shop;
import dev.gatehouse.ratelimit.descriptor.Action.GenericKey;
import dev.gatehouse.ratelimit.descriptor.Action.HeaderValueMatch;
import dev.gatehouse.ratelimit.descriptor.Action.Metadata;
import dev.gatehouse.ratelimit.descriptor.Action.QueryParameter;
import dev.gatehouse.ratelimit.descriptor.Action.QueryParameterValueMatch;
import dev.gatehouse.ratelimit.descriptor.Action.RemoteAddress;
import dev.gatehouse.ratelimit.descriptor.Action.RemoteAddressMatch;
import dev.gatehouse.ratelimit.descriptor.Action.RequestHeader;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ActionsTest {
  private static final GenericKey ROUTE = new GenericKey(Shop.ROUTE, Shop.ROUTE);
  private static final String LIMIT = "limit: {requests: 5, unit: Minute}";

  @Test
  void the_domain_is_the_listener() {
    assertThat(Actions.domain(rule(Shop.withoutPolicy()))).isEqualTo("shop/web/http");
  }

  @Test
  void a_route_without_a_policy_has_none() {
    assertThat(Actions.of(rule(Shop.withoutPolicy()), 0, "shop.example")).isEmpty();
  }

  @Test
  void the_first_entry_names_the_route_its_rule_its_match_and_its_host() {
    var rule = rule(Shop.with("{" + LIMIT + "}"));
    assertThat(Actions.of(rule, 1, "*.shop.example").getFirst().actions().getFirst())
        .isEqualTo(new GenericKey(
            "httproute/shop/orders/rule/0/match/1/*_shop_example",
            "httproute/shop/orders/rule/0/match/1/*_shop_example"));
  }

  @Test
  void a_rule_without_selectors_holds_for_every_request() {
    assertThat(actions("{" + LIMIT + "}", "{" + LIMIT + "}"))
        .containsExactly(
            List.of(ROUTE, new GenericKey("rule-0-match--1", "rule-0-match--1")),
            List.of(ROUTE, new GenericKey("rule-1-match--1", "rule-1-match--1")));
  }

  @Test
  void selectors_stand_in_envoy_gateways_order_whatever_theirs_is() {
    var rule = """
        {clientSelectors: [{queryParams: [{name: q, type: Distinct}, {name: p, value: x}], sourceCIDR: {value: 10.1.2.3/8},
          path: {value: /a, type: Exact}, methods: [{value: GET}], headers: [{name: x-a, value: one}, {name: x-b, type: Distinct}]}], %s}
        """.formatted(LIMIT).replace("\n", "");
    assertThat(actions(rule))
        .containsExactly(List.of(
            ROUTE,
            header("rule-0-match-0", "x-a", exact("one"), true),
            new RequestHeader("rule-0-match-1", "x-b"),
            header("rule-0-method", ":method", exact("GET"), true),
            header("rule-0-path", ":path", regex("/a(?:[?#;].*)?"), true),
            new RemoteAddressMatch("masked_remote_address", "10.0.0.0/8", "10.0.0.0/8", false),
            new QueryParameter("rule-0-match-2", "q"),
            new QueryParameterValueMatch(
                "rule-0-match-3", "rule-0-match-3", "p", exact("x"), true)));
  }

  @Test
  void several_selectors_of_a_rule_are_one_list_since_all_must_hold() {
    assertThat(actions(
            "{clientSelectors: [{headers: [{name: x-a, value: one}]}, {headers: [{name: x-b, value: two, invert: true}]}], "
                + LIMIT + "}"))
        .containsExactly(List.of(
            ROUTE,
            header("rule-0-match-0", "x-a", exact("one"), true),
            header("rule-0-match-1", "x-b", exact("two"), false)));
  }

  @Test
  void methods_are_alternatives_that_share_a_counter() {
    assertThat(actions(
            "{clientSelectors: [{methods: [{value: GET}, {value: PUT, invert: true}], headers: [{name: x-a, type: Distinct}]}], "
                + LIMIT + "}"))
        .containsExactly(
            List.of(
                ROUTE,
                new RequestHeader("rule-0-match-0", "x-a"),
                header("rule-0-method", ":method", exact("GET"), true)),
            List.of(
                ROUTE,
                new RequestHeader("rule-0-match-0", "x-a"),
                header("rule-0-method", ":method", exact("PUT"), false)));
  }

  @Test
  void an_inverted_range_says_so_in_its_value() {
    assertThat(actions(
            "{clientSelectors: [{sourceCIDR: {value: 10.0.0.0/8, invert: true}}], " + LIMIT + "}"))
        .containsExactly(List.of(
            ROUTE,
            new RemoteAddressMatch(
                "masked_remote_address", "invert:10.0.0.0/8", "10.0.0.0/8", true)));
  }

  @Test
  void a_distinct_range_sends_the_address_too() {
    assertThat(actions(
            "{clientSelectors: [{sourceCIDR: {value: 0.0.0.0/0, type: Distinct}}], " + LIMIT + "}"))
        .containsExactly(List.of(
            ROUTE,
            new RemoteAddressMatch("masked_remote_address", "0.0.0.0/0", "0.0.0.0/0", false),
            new RemoteAddress()));
  }

  @Test
  void a_rejected_policy_yields_the_routes_entry_alone() {
    assertThat(actions("{limit: {requests: 5, unit: Fortnight}}")).containsExactly(List.of(ROUTE));
  }

  @Test
  void shared_rules_have_the_policys_domain_and_each_kind_is_numbered_by_itself() {
    var limits = limits(Shop.with(
        "{shared: true, clientSelectors: [{headers: [{name: x-a, type: Distinct}]}], " + LIMIT
            + "}",
        "{" + LIMIT + "}",
        "{shared: true, " + LIMIT + "}"));

    assertThat(limits)
        .extracting(RouteLimit::domain)
        .containsExactly("shop/limits", "shop/web/http", "shop/limits");
    assertThat(limits)
        .extracting(RouteLimit::actions)
        .containsExactly(
            List.of(
                new GenericKey("shop/limits/rule/0", "shop/limits/rule/0"),
                new RequestHeader("rule-0-match-0", "x-a")),
            List.of(ROUTE, new GenericKey("rule-0-match--1", "rule-0-match--1")),
            List.of(
                new GenericKey("shop/limits/rule/2", "shop/limits/rule/2"),
                new GenericKey("rule-1-match--1", "rule-1-match--1")));
    var at = rule(Shop.with("{shared: true, " + LIMIT + "}"));
    assertThat(Actions.isApart(at, "shop/limits")).isTrue();
    assertThat(Actions.isApart(at, "shop/web/http")).isFalse();
  }

  @Test
  void a_responses_cost_is_a_rate_limit_of_its_own_with_the_same_descriptor() {
    var limits = limits(
        Shop.with(
            "{cost: {request: {from: Number, number: 2}, response: {from: Metadata, metadata: {namespace: n, key: 'a:b'}}}, xRateLimitHeaders: \"Off\", limit: {requests: 5, unit: Minute, fromMetadata: {namespace: n, key: k}}}"));

    var from = new MetadataKey("n", List.of("k"));
    var actions = List.<Action>of(ROUTE, new GenericKey("rule-0-match--1", "rule-0-match--1"));
    assertThat(limits)
        .containsExactly(
            new RouteLimit(
                "shop/web/http", actions, new Cost.Fixed(2), from, false, LimitHeaders.NONE),
            new RouteLimit(
                "shop/web/http",
                actions,
                new Cost.Metadata(new MetadataKey("n", List.of("a", "b"))),
                from,
                true,
                LimitHeaders.NONE));
  }

  @Test
  void all_rules_of_a_rate_limit_policy_are_asked_for_at_once() {
    var load = Shop.ours("""
        rules:
        - {shared: true, limit: {requests: 5, unit: Minute}}
        - {clientSelectors: [{sourceCIDR: {value: 10.0.0.0/8}}], limit: {requests: 5, unit: Minute}}
        - {clientSelectors: [{sourceCIDR: {value: 10.0.0.0/8}}], limit: {requests: 50, unit: Hour}}
        """);
    var limits = limits(load);

    assertThat(limits).extracting(RouteLimit::domain).containsOnly("RateLimitPolicy/shop/limits");
    var route = "shop/web/http/" + Shop.ROUTE;
    var range = new RemoteAddressMatch("masked_remote_address", "10.0.0.0/8", "10.0.0.0/8", false);
    assertThat(limits)
        .extracting(RouteLimit::actions)
        .containsExactly(
            List.of(
                new GenericKey("shop/limits/rule/0", "shop/limits/rule/0"),
                new GenericKey("rule-0-match--1", "rule-0-match--1")),
            List.of(
                new GenericKey(route, route),
                range,
                new GenericKey("rule-1-match--1", "rule-1-match--1")),
            List.of(
                new GenericKey(route, route),
                range,
                new GenericKey("rule-2-match--1", "rule-2-match--1")));
    assertThat(Actions.isApart(rule(load), "RateLimitPolicy/shop/limits")).isFalse();
  }

  @Test
  void metadata_and_the_plan_stand_behind_the_selectors_that_envoy_gateway_knows() {
    var limits = limits(Shop.ours("""
        rules:
        - clientSelectors:
          - queryParams: [{name: q, type: Distinct}]
            metadata: [{key: gatehouse.sub, type: Distinct}, {namespace: n, key: "a:b", value: c}]
          plan: {limits: {gold: {requests: 50, unit: Minute}}}
          limit: {requests: 5, unit: Minute}
        """));

    var authz = "envoy.filters.http.ext_authz";
    assertThat(limits.getFirst().actions().subList(1, 5))
        .containsExactly(
            new QueryParameter("rule-0-match-0", "q"),
            new Metadata(
                "rule-0-metadata-0", new MetadataKey(authz, List.of("gatehouse.sub")), null),
            new Metadata("rule-0-metadata-1", new MetadataKey("n", List.of("a", "b")), "c"),
            new Metadata("rule-0-plan", new MetadataKey(authz, List.of("gatehouse.plan")), null));
  }

  @ParameterizedTest
  @CsvSource({
    "192.168.5.6/16, 192.168.0.0/16",
    "10.0.0.1/32, 10.0.0.1/32",
    "1.2.3.4/0, 0.0.0.0/0",
    "2001:DB8:0:0:1::1/64, 2001:db8::/64",
    "2001:db8::ff00/121, 2001:db8::ff00/121",
    "2001:db8::ffff/121, 2001:db8::ff80/121",
    "::/0, ::/0",
    "nonsense, nonsense",
    "1.2.3.4/33, 1.2.3.4/33",
    "1.2.3/8, 1.2.3/8"
  })
  void ranges_lose_their_host_bits_as_in_go(String written, String canonical) {
    assertThat(Cidr.canonical(written)).isEqualTo(canonical);
  }

  @ParameterizedTest
  @CsvSource({
    "PathPrefix, /a.b, /a.b, true",
    "PathPrefix, /a.b, /a.b/c?d, true",
    "PathPrefix, /a.b, /a.b?c=/, true",
    "PathPrefix, /a.b, /axb, false",
    "PathPrefix, /a.b, /a.bc, false",
    "PathPrefix, /a/, /a, true",
    "PathPrefix, /, /anything?x, true",
    "Exact, /a, /a, true",
    "Exact, /a, /a?x=/b, true",
    "Exact, /a, /a/, false",
    "Exact, /a, /ab, false",
    "RegularExpression, /a/[0-9]+, /a/17, true",
    "RegularExpression, /a/[0-9]+, /a/17?x, true",
    "RegularExpression, /a|/b, /b?x, true",
    "RegularExpression, /a/[0-9]+, /a/17/b, false",
  })
  void a_query_never_leads_a_request_out_of_its_limit(
      String type, String path, String requested, boolean matches) {
    var rule =
        "{clientSelectors: [{path: {type: %s, value: '%s'}}], %s}".formatted(type, path, LIMIT);
    var action = (HeaderValueMatch) actions(rule).getFirst().get(1);
    assertThat(Pattern.matches(action.match().value(), requested)).isEqualTo(matches);
  }

  private static HeaderValueMatch header(
      String name, String header, StringMatch match, boolean expect) {
    return new HeaderValueMatch(name, name, header, match, expect);
  }

  private static StringMatch exact(String value) {
    return new StringMatch(StringMatch.Type.EXACT, value);
  }

  private static StringMatch regex(String value) {
    return new StringMatch(StringMatch.Type.REGULAR_EXPRESSION, value);
  }

  private static List<List<Action>> actions(String... rules) {
    return Actions.of(rule(Shop.with(rules)), 0, "shop.example").stream()
        .map(RouteLimit::actions)
        .toList();
  }

  private static List<RouteLimit> limits(Load load) {
    assertThat(load.problems().all()).isEmpty();
    return Actions.of(rule(load), 0, "shop.example");
  }

  private static AttachedRule rule(Load load) {
    return load.policies().rules().getFirst();
  }
}
