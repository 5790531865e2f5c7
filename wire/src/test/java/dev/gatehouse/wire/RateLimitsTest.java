package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.json;
import static dev.gatehouse.wire.Wired.rule;
import static dev.gatehouse.wire.Wired.shop;
import static dev.gatehouse.wire.Wired.toFilter;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Rate limits beyond headers and counts of one, which {@link RoutesTest} has. */
final class RateLimitsTest {
  private static final String MAIN = "envoy.filters.http.ratelimit";

  @Test
  void a_number_a_format_and_an_override_say_how_much_counts_of_how_much() {
    var wired = shop(rule(TO_UP), RoutesTest.limit("""
            limit: {requests: 5, unit: Minute, fromMetadata: {namespace: n, key: "a:b"}}
            cost: {request: {from: Number, number: 0}, response: {from: Metadata, metadata: {namespace: n, key: "a:b"}}}
            xRateLimitHeaders: "Off"
            """));

    assertThat(wired.errors()).isEmpty();
    var limits = toFilter(wired.onlyRoute(), "ratelimit").get("rate_limits");
    var override =
        "limit: {dynamic_metadata: {metadata_key: {key: n, path: [{key: 'a:b'}]}}}, x_ratelimit_option: 'OFF'";
    assertThat(without(limits.get(0), "actions"))
        .isEqualTo(json("{hits_addend: {number: 0}, " + override + "}"));
    assertThat(without(limits.get(1), "actions"))
        .isEqualTo(
            json("{hits_addend: {format: '%DYNAMIC_METADATA(n:a:b)%'}, apply_on_stream_done: true, "
                + override + "}"));
    assertThat(limits.get(0).get("actions")).isEqualTo(limits.get(1).get("actions"));
  }

  @Test
  void a_shared_rule_has_a_filter_of_its_own_behind_the_listeners() {
    var wired = shop(rule(TO_UP), RoutesTest.limit("""
            limit: {requests: 5, unit: Minute}
            shared: true
            """));

    assertThat(limitFilters(wired)).containsExactly(MAIN, MAIN + "/shop/b");
    var own = wired.httpFilter(MAIN + "/shop/b");
    assertThat(own.get("disabled").asBoolean()).isTrue();
    assertThat(own.at("/typed_config/domain").asString()).isEqualTo("shop/b");
    assertThat(toFilter(wired.onlyRoute(), "ratelimit").isMissingNode()).isTrue();
    assertThat(toFilter(wired.onlyRoute(), "ratelimit/shop/b").get("domain").asString())
        .isEqualTo("shop/b");
  }

  @Test
  void a_rate_limit_policys_status_needs_a_filter_and_all_its_rules_go_there() {
    var wired = shop(rule(TO_UP), ours("""
            rules:
            - {limit: {requests: 5, unit: Minute}, shared: true}
            - clientSelectors: [{metadata: [{key: gatehouse.sub, type: Distinct}]}]
              limit: {requests: 5, unit: Minute}
            response: {status: 503, limitHeaders: IETF}
            """));

    assertThat(wired.errors()).isEmpty();
    assertThat(limitFilters(wired)).containsExactly(MAIN, MAIN + "/503");
    assertThat(wired.httpFilter(MAIN + "/503").at("/typed_config/rate_limited_status"))
        .isEqualTo(json("{code: 503}"));
    assertThat(wired.httpFilter(MAIN).at("/typed_config").has("rate_limited_status"))
        .isFalse();
    var limits = toFilter(wired.onlyRoute(), "ratelimit/503");
    assertThat(limits.get("domain").asString()).isEqualTo("RateLimitPolicy/shop/p");
    assertThat(Wired.each(limits.get("rate_limits")))
        .hasSize(2)
        .allSatisfy(
            limit -> assertThat(limit.get("x_ratelimit_option").asString()).isEqualTo("OFF"));
    assertThat(limits.at("/rate_limits/1/actions/1")).isEqualTo(json("""
            metadata:
              descriptor_key: rule-1-metadata-0
              metadata_key: {key: envoy.filters.http.ext_authz, path: [{key: gatehouse.sub}]}
              default_value: "-"
              source: DYNAMIC
            """));
  }

  @Test
  void a_rule_that_denies_without_the_counters_denies_without_the_service_too() {
    var wired = shop(rule(TO_UP), ours("""
            rules:
            - {limit: {requests: 5, unit: Minute}}
            - {limit: {requests: 5, unit: Hour}, onUnavailable: Deny}
            """));

    assertThat(limitFilters(wired)).containsExactly(MAIN, MAIN + "/deny");
    var deny = wired.httpFilter(MAIN + "/deny").get("typed_config");
    assertThat(deny.get("failure_mode_deny").asBoolean()).isTrue();
    assertThat(deny.at("/status_on_error/code").asString()).isEqualTo("ServiceUnavailable");
    assertThat(wired.httpFilter(MAIN).at("/typed_config/failure_mode_deny").asBoolean(true))
        .isFalse();
    assertThat(toFilter(wired.onlyRoute(), "ratelimit/deny").get("rate_limits")).hasSize(2);
    assertThat(
            limitFilters(
                shop(
                    rule(TO_UP),
                    ours(
                        "rules: [{limit: {requests: 5, unit: Hour}, onUnavailable: Deny, shadowMode: true}]"))))
        .containsExactly(MAIN);
  }

  @Test
  void without_any_of_it_there_is_one_filter() {
    assertThat(limitFilters(shop(rule(TO_UP)))).containsExactly(MAIN);
  }

  private static List<String> limitFilters(Wired wired) {
    return Wired.each(wired.manager().get("http_filters"))
        .map(filter -> filter.get("name").asString())
        .filter(name -> name.startsWith(MAIN))
        .toList();
  }

  private static JsonNode without(JsonNode node, String field) {
    var copy = (tools.jackson.databind.node.ObjectNode) node.deepCopy();
    copy.remove(field);
    return copy;
  }

  private static String ours(String spec) {
    return """
        apiVersion: gatehouse.dev/v1alpha1
        kind: RateLimitPolicy
        metadata: {name: p, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        """ + spec.indent(2);
  }
}
