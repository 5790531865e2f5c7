package dev.gatehouse.policy.resource;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.Cost;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Unit;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackendTrafficPolicyReaderTest {
  private static Read read(String spec) {
    return Read.spec("BackendTrafficPolicy", spec);
  }

  private static Read rule(String rule) {
    return read("rateLimit: {type: Global, global: {rules: [{" + rule + "}]}}\n");
  }

  private static final String LIMIT = "limit: {requests: 3, unit: Hour}";

  @Test
  void every_client_selector_limit_and_shadow_mode_is_read() {
    var policy = read("""
        rateLimit:
          global:
            rules:
            - clientSelectors:
              - headers:
                - {name: X-User, type: Distinct}
                - {name: X-Org, value: acme, invert: true}
                - {name: X-Plan, type: RegularExpression, value: "gold|silver"}
                methods: [{value: GET}, {value: PUT, invert: true}]
                path: {type: Exact, value: /user}
                sourceCIDR: {type: Distinct, value: 10.0.0.0/8}
                queryParams: [{name: user, value: alice}]
              limit: {requests: 0, unit: Week}
              shadowMode: true
              xRateLimitHeaders: "Off"
        """);

    assertThat(policy.problems()).isEmpty();
    var rule = ((BackendTrafficPolicy) policy.resources().getFirst()).rules().getFirst();
    assertThat(rule.limit()).isEqualTo(new BackendTrafficPolicy.Limit(0, Unit.WEEK, 1, null, null));
    assertThat(rule.limitHeaders()).isEqualTo(BackendTrafficPolicy.LimitHeaders.NONE);
    assertThat(rule.shadowMode()).isTrue();
    assertThat(rule.origin()).isEqualTo(new Origin("p.yaml", 9, 9));
    var selector = rule.selectors().getFirst();
    assertThat(selector.headers())
        .containsExactly(
            new BackendTrafficPolicy.HeaderSelector(
                "x-user", new StringMatch(StringMatch.Type.DISTINCT, ""), false),
            new BackendTrafficPolicy.HeaderSelector(
                "x-org", new StringMatch(StringMatch.Type.EXACT, "acme"), true),
            new BackendTrafficPolicy.HeaderSelector(
                "x-plan",
                new StringMatch(StringMatch.Type.REGULAR_EXPRESSION, "gold|silver"),
                false));
    assertThat(selector.methods())
        .containsExactly(
            new BackendTrafficPolicy.MethodSelector("GET", false),
            new BackendTrafficPolicy.MethodSelector("PUT", true));
    assertThat(requireNonNull(selector.path()).match())
        .isEqualTo(new StringMatch(StringMatch.Type.EXACT, "/user"));
    assertThat(selector.sourceCidr())
        .isEqualTo(new BackendTrafficPolicy.SourceCidr("10.0.0.0/8", true, false));
    assertThat(selector.queryParams())
        .containsExactly(new BackendTrafficPolicy.QuerySelector(
            "user", new StringMatch(StringMatch.Type.EXACT, "alice"), false));
  }

  @Test
  void what_the_gateway_enforces_is_named_and_leaves_the_rate_limit_in_force() {
    var policy = read("retry: {numRetries: 3}\nrateLimit: {global: {rules: [{" + LIMIT
        + "}]}, local: {rules: []}}\n");

    assertThat(policy.problems())
        .containsExactly(
            "p.yaml:6:3: notice: spec.retry: not enforced by Gatehouse; a gateway that reads this kind itself may",
            "p.yaml:7:70: notice: spec.rateLimit.local: not enforced by Gatehouse; a gateway that reads this kind itself may");
    assertThat(policy.resources()).singleElement().isInstanceOf(BackendTrafficPolicy.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "limit: {requests: 3, unit: Hour}, cost: {request: {number: 1}} | \"from\" is missing",
        "limit: {requests: 3, unit: Hour}, cost: {request: {from: Number}} | \"number\" is missing",
        "limit: {requests: 3, unit: Hour}, cost: {request: {from: Number, number: -1}} | is out of range (expected: 0 to 1000000000)",
        "limit: {requests: 3, unit: Hour}, cost: {request: {from: Number, number: 1, metadata: {namespace: n, key: k}}} | only one of number or metadata can be specified",
        "limit: {requests: 3, unit: Hour}, cost: {response: {from: Metadata, number: 1}} | only one of number or metadata can be specified",
        "limit: {requests: 3, unit: Hour}, cost: {response: {from: Metadata, metadata: {namespace: n}}} | \"key\" is missing",
        "limit: {requests: 3, unit: Hour}, cost: {response: {from: Metadata, metadata: {namespace: 'a:b', key: k}}} | holds a colon",
        "limit: {requests: 3, unit: Hour}, cost: {response: {from: Metadata, metadata: {namespace: n, key: 'a)%'}}} | which Envoy's format strings cannot",
        "limit: {requests: 3, unit: Hour}, cost: {response: {from: Header}} | \"Header\" is not one of Metadata, Number",
        "limit: {requests: 3, unit: Hour, fromMetadata: {namespace: n}} | \"key\" is missing",
        "limit: {requests: 3, unit: Hour, fromMetadata: {namespace: n, key: ''}} | key: is empty",
        "limit: {requests: 3, unit: Hour, every: 5} | is a field of RateLimitPolicy",
        "limit: {requests: 3, unit: Hour}, algorithm: TokenBucket | is a field of RateLimitPolicy",
        "limit: {requests: 3, unit: Hour}, name: x | is a field of RateLimitPolicy",
        "limit: {requests: 3, unit: Hour}, xRateLimitHeaders: DraftVersion04 | (did you mean \"DraftVersion03\"?)",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{metadata: [{key: k, type: Distinct}]}] | selects nothing",
        "limit: {requests: 4294967296, unit: Hour} | is out of range (expected: 0 to 4294967295)",
        "limit: {requests: 1.5, unit: Hour} | \"1.5\" is not a whole number",
        "limit: {requests: '3', unit: Hour} | \"3\" is not a whole number",
        "limit: {requests: 3} | \"unit\" is missing",
        "clientSelectors: [] | \"limit\" is missing",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{}] | selects nothing",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{headers: [{name: a}]}] | \"value\" is missing",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{headers: [{name: a, type: Distinct, value: b}]}] | takes none; remove it",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{headers: [{name: a, type: Distinct, invert: true}]}] | type Distinct cannot be inverted",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{headers: [{name: ':path', value: b}]}] | \":path\" is not a header name",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{sourceCIDR: {value: 10.0.0.0}}] | is not an address range",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{queryParams: [{name: a, type: Prefix, value: b}]}] | \"Prefix\" is not one of Distinct, Exact, RegularExpression",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{methods: [{}]},{methods: [{}]},{methods: [{}]},{methods: [{}]},{methods: [{}]},{methods: [{}]},{methods: [{}]},{methods: [{}]},{methods: [{}]}] | has 9 items (expected: at most 8)",
      })
  void what_the_api_refuses_or_we_do_not_support_rejects_the_policy(String rule, String message) {
    var read = rule(rule);

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
  }

  @Test
  void costs_shared_counters_and_a_limit_from_the_metadata_are_read_in_envoy_gateways_words() {
    var policy = rule("limit: {requests: 3, unit: Hour, fromMetadata: {namespace: n, key: 'a:b'}}, "
            + "cost: {request: {from: Number, number: 0}, response: {from: Metadata, metadata: {namespace: n, key: 'a:b'}}}, "
            + "shared: true, clientSelectors: [{sourceCIDR: {value: 10.0.0.0/8, type: Distinct, invert: true}}]")
        .only(BackendTrafficPolicy.class);
    var rule = policy.rules().getFirst();

    // Envoy Gateway takes the whole key of a limit for one name; a cost's is read by Envoy.
    assertThat(rule.limit().fromMetadata()).isEqualTo(new MetadataKey("n", List.of("a:b")));
    assertThat(rule.requestCost()).isEqualTo(new Cost.Fixed(0));
    assertThat(rule.responseCost())
        .isEqualTo(new Cost.Metadata(new MetadataKey("n", List.of("a", "b"))));
    assertThat(rule.shared()).isTrue();
    assertThat(rule.selectors().getFirst().sourceCidr())
        .isEqualTo(new BackendTrafficPolicy.SourceCidr("10.0.0.0/8", true, true));
    assertThat(policy.countsDenied()).isTrue();
    assertThat(policy.denial()).isEqualTo(BackendTrafficPolicy.Denial.USUAL);
    assertThat(rule.onUnavailable()).isEqualTo(BackendTrafficPolicy.OnUnavailable.ERROR);
    assertThat(rule.algorithm()).isEqualTo(BackendTrafficPolicy.Algorithm.FIXED_WINDOW);
  }

  @Test
  void at_most_256_rules() {
    assertThat(read("rateLimit: {global: {rules: [" + ("{" + LIMIT + "},").repeat(256) + "]}}\n")
            .problems())
        .isEmpty();
    assertThat(read("rateLimit: {global: {rules: [" + ("{" + LIMIT + "},").repeat(257) + "]}}\n")
            .problems())
        .containsExactly(
            "p.yaml:6:24: spec.rateLimit.global.rules: has 257 items (expected: at most 256)");
  }

  @Test
  void type_global_needs_global() {
    assertThat(read("rateLimit: {type: Global}\n").problems())
        .containsExactly("p.yaml:6:3: spec.rateLimit: \"global\" is missing: type Global needs it");
  }

  @Test
  void a_policy_without_rate_limit_has_no_rules() {
    assertThat(read("mergeTyp: x\n").problems())
        .containsExactly("p.yaml:6:3: spec.mergeTyp: unknown field (did you mean \"mergeType\"?)");
    assertThat(read("timeout: {}\n").resources())
        .singleElement()
        .isInstanceOf(BackendTrafficPolicy.class);
  }
}
