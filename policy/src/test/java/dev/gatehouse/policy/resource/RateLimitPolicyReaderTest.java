package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.Algorithm;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Cost;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Denial;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Limit;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.LimitHeaders;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.OnUnavailable;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Plan;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Unit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RateLimitPolicyReaderTest {
  private static final String AUTHZ = "envoy.filters.http.ext_authz";

  private static Read read(String spec) {
    return Read.spec("RateLimitPolicy", spec);
  }

  @Test
  void every_field_is_read() {
    var policy = read("""
        rules:
        - name: per-user
          clientSelectors:
          - headers: [{name: x-channel, value: web}]
            metadata: [{key: gatehouse.sub, type: Distinct}, {namespace: n, key: "a:b", value: c}]
          limit: {requests: 10, unit: Minute, every: 5, burst: 3}
          plan:
            metadata: {key: "auth:claims:tier"}
            limits:
              gold: {requests: 1000, unit: Minute}
              silver: {requests: 100, unit: Hour, every: 2, burst: 50}
          algorithm: TokenBucket
          onUnavailable: Local
          cost: {request: {from: Metadata, metadata: {namespace: n, key: units}}}
          shared: true
          shadowMode: true
        - {limit: {requests: 0, unit: Year, fromMetadata: {namespace: n, key: "a:b"}}, cost: {response: {from: Number, number: 4}}}
        denied: Counted
        response:
          status: 503
          headers: {Content-Type: application/json, x-help: please}
          body: '{"slow": "down"}'
          limitHeaders: IETF
          retryAfter: false
        """).only(BackendTrafficPolicy.class);

    assertThat(policy.ours()).isTrue();
    assertThat(policy.countsDenied()).isTrue();
    assertThat(policy.denial())
        .isEqualTo(new Denial(
            503,
            Map.of("content-type", "application/json", "x-help", "please"),
            "{\"slow\": \"down\"}",
            LimitHeaders.IETF,
            false));
    var rule = policy.rules().getFirst();
    assertThat(rule.name()).isEqualTo("per-user");
    assertThat(rule.selectors().getFirst().metadata())
        .containsExactly(
            new MetadataSelector(
                new MetadataKey(AUTHZ, List.of("gatehouse.sub")),
                new StringMatch(StringMatch.Type.DISTINCT, "")),
            new MetadataSelector(
                new MetadataKey("n", List.of("a", "b")),
                new StringMatch(StringMatch.Type.EXACT, "c")));
    assertThat(rule.limit()).isEqualTo(new Limit(10, Unit.MINUTE, 5, 3L, null));
    assertThat(rule.plan())
        .isEqualTo(new Plan(
            new MetadataKey(AUTHZ, List.of("auth", "claims", "tier")),
            Map.of(
                "gold", new Limit(1000, Unit.MINUTE, 1, null, null),
                "silver", new Limit(100, Unit.HOUR, 2, 50L, null))));
    assertThat(rule.algorithm()).isEqualTo(Algorithm.TOKEN_BUCKET);
    assertThat(rule.onUnavailable()).isEqualTo(OnUnavailable.LOCAL);
    assertThat(rule.requestCost())
        .isEqualTo(new Cost.Metadata(new MetadataKey("n", List.of("units"))));
    assertThat(policy.rules().get(1).responseCost()).isEqualTo(new Cost.Fixed(4));
    assertThat(rule.shared()).isTrue();
    assertThat(rule.shadowMode()).isTrue();
    assertThat(policy.rules().get(1).limit().fromMetadata())
        .isEqualTo(new MetadataKey("n", List.of("a", "b")));
  }

  @Test
  void what_is_left_out_has_its_usual_meaning() {
    var policy = read("rules: [{limit: {requests: 5, unit: Hour}, plan: {limits: {gold: "
            + "{requests: 9, unit: Hour}}}}]\n")
        .only(BackendTrafficPolicy.class);

    assertThat(policy.countsDenied()).isFalse();
    assertThat(policy.denial())
        .isEqualTo(new Denial(429, Map.of(), null, LimitHeaders.X_RATE_LIMIT, true));
    var rule = policy.rules().getFirst();
    assertThat(rule.name()).isEmpty();
    assertThat(rule.algorithm()).isEqualTo(Algorithm.FIXED_WINDOW);
    assertThat(rule.onUnavailable()).isEqualTo(OnUnavailable.ALLOW);
    assertThat(rule.plan())
        .isEqualTo(new Plan(
            new MetadataKey(AUTHZ, List.of("gatehouse.plan")),
            Map.of("gold", new Limit(9, Unit.HOUR, 1, null, null))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "name: 'a/b', limit: {requests: 3, unit: Hour} | p.yaml:6:12: spec.rules[0].name: \"a/b\" is not a name",
        "limit: {requests: 3, unit: Hour, every: 0} | \"0\" is out of range (expected: 1 to 1000000)",
        "algorithm: TokenBucket, limit: {requests: 3, unit: Hour}, cost: {response: {from: Number, number: 1}} | cost.response cannot be taken from a token bucket",
        "limit: {requests: 3, unit: Hour, burst: 3} | only means something with algorithm: TokenBucket",
        "limit: {requests: 3, unit: Hour, every: 2, fromMetadata: {namespace: n, key: k}} | every: cannot stand beside fromMetadata",
        "algorithm: Tokenbucket, limit: {requests: 3, unit: Hour} | (did you mean \"TokenBucket\"?)",
        "onUnavailable: Error, limit: {requests: 3, unit: Hour} | \"Error\" is not one of Allow, Deny, Local",
        "limit: {requests: 3, unit: Hour}, xRateLimitHeaders: Off | spec.response.limitHeaders",
        "limit: {requests: 3, unit: Hour}, plan: {limits: {}} | is empty; name at least one plan",
        "limit: {requests: 3, unit: Hour}, plan: {} | \"limits\" is missing",
        "limit: {requests: 3, unit: Hour}, plan: {limits: {'': {requests: 3, unit: Hour}}} | a plan's name is empty",
        "limit: {requests: 3, unit: Hour}, plan: {limits: {gold: {requests: 3, unit: Hour, fromMetadata: {namespace: n, key: k}}}} | a plan's limit is what it says here",
        "limit: {requests: 3, unit: Hour, fromMetadata: {namespace: n, key: k}}, plan: {limits: {gold: {requests: 3, unit: Hour}}} | exclude each other",
        "limit: {requests: 3, unit: Hour}, plan: {limits: {gold: {requests: 3, unit: Hour}}, metadata: {key: 'a::b'}} | has an empty name in it",
        "plan: {limits: {gold: {requests: 3, unit: Hour}}} | \"limit\" is missing",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{}] | sourceCIDR, queryParams and metadata)",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{metadata: [{key: k, type: RegularExpression, value: x}]}] | \"RegularExpression\" is not one of Distinct, Exact",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{metadata: [{key: k, type: Distinct, invert: true}]}] | unknown field",
        "limit: {requests: 3, unit: Hour}, clientSelectors: [{metadata: [{key: 'a:b:c:d:e:f:g:h:i', type: Distinct}]}] | leads 9 deep (expected: at most 8)",
      })
  void what_makes_no_sense_rejects_the_policy(String rule, String message) {
    var read = read("rules: [{" + rule + "}]\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources())
        .singleElement()
        .isInstanceOfSatisfying(
            RejectedPolicy.class, p -> assertThat(p.targets().refs()).hasSize(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "denied: NotCounted | \"rules\" is missing",
        "rules: [] | spec.rules: is empty; a policy without a rule limits nothing",
        "rules: [{name: a, limit: {requests: 3, unit: Hour}}, {name: a, limit: {requests: 3, unit: Hour}}] | rules[1].name: \"a\" stands twice",
        "denied: Count | \"Count\" is not one of Counted, NotCounted",
        "mergeType: StrategicMerge | not supported yet",
        "response: {status: 200} | \"200\" is out of range (expected: 400 to 599)",
        "response: {limitHeaders: Off} | \"Off\" is not one of IETF, None, XRateLimit",
        "response: {headers: {host: a}} | \"host\" is Envoy's own",
        "response: {headers: {x-a: a, X-A: b}} | \"x-a\" stands twice",
        "rateLimit: {} | unknown field",
      })
  void so_does_what_a_whole_policy_cannot_say(String spec, String message) {
    var read = read(spec + "\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
  }

  @Test
  void at_most_256_rules() {
    var rule = "{limit: {requests: 3, unit: Hour}},";
    assertThat(read("rules: [" + rule.repeat(256) + "]\n").problems()).isEmpty();
    assertThat(read("rules: [" + rule.repeat(257) + "]\n").problems())
        .containsExactly("p.yaml:6:3: spec.rules: has 257 items (expected: at most 256)");
  }
}
