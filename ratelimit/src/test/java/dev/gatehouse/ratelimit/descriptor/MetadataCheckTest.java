package dev.gatehouse.ratelimit.descriptor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.ratelimit.Shop;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MetadataCheckTest {
  private static final String AT = "shop.yaml:31:5: warning: spec.rules[0]: ";

  @Test
  void what_ext_authz_says_and_what_other_filters_may_say_is_taken() {
    assertThat(problems(Shop.ours("""
            rules:
            - clientSelectors: [{metadata: [{key: gatehouse.sub, type: Distinct}, {key: "auth:method", value: jwt}, {namespace: n, key: k, type: Distinct}]}]
              plan: {limits: {gold: {requests: 2, unit: Day}}}
              limit: {requests: 1, unit: Day}
              cost: {request: {from: Metadata, metadata: {namespace: envoy.filters.http.ext_authz, key: gatehouse.weight}}, response: {from: Metadata, metadata: {namespace: n, key: k}}}
            """))).isEmpty();
  }

  @Test
  void a_name_that_the_policy_of_the_route_does_not_say_is_warned_of_with_those_that_it_does() {
    assertThat(problems(Shop.ours("""
            rules:
            - clientSelectors: [{metadata: [{key: gatehouse.sbu, type: Distinct}]}]
              limit: {requests: 1, unit: Day}
              cost: {request: {from: Metadata, metadata: {namespace: envoy.filters.http.ext_authz, key: wait}}}
            """)))
        .containsExactly(
            AT
                + "\"gatehouse.sbu\" is nothing that AuthPolicy shop/callers says of a caller (there are: auth, decision, gatehouse.plan, gatehouse.sub, gatehouse.weight; its response.metadata says more)",
            AT
                + "\"wait\" is nothing that AuthPolicy shop/callers says of a caller (there are: auth, decision, gatehouse.plan, gatehouse.sub, gatehouse.weight; its response.metadata says more)");
  }

  @Test
  void on_a_route_that_asks_nobody_who_he_is_there_is_nothing() {
    assertThat(
            problems(
                Shop.with(
                    "{limit: {requests: 1, unit: Day, fromMetadata: {namespace: envoy.filters.http.ext_authz, key: auth}}}")))
        .singleElement()
        .asString()
        .endsWith(
            "\"auth\" is never there on HTTPRoute shop/orders: no policy asks there who the caller is");
  }

  @Test
  void what_ext_proc_is_to_have_written_must_be_written_by_a_step() {
    var rules =
        "rules:\n- clientSelectors: [{metadata: [{namespace: gatehouse.ext_proc, key: %s, type: Distinct}]}]\n  limit: {requests: 1, unit: Day}\n";
    assertThat(problems(Shop.ours(rules.formatted("tenant"))))
        .containsExactly(
            AT
                + "\"tenant\" is never there on HTTPRoute shop/orders: no TransformPolicy writes metadata there");
    var writes = """
        ---
        apiVersion: gatehouse.dev/v1alpha1
        kind: TransformPolicy
        metadata: {name: t, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
          request: [{metadata: {tenant: "${request.path}"}}]
        """;
    assertThat(problems(Shop.ours(rules.formatted("tenant"), writes))).isEmpty();
    assertThat(problems(Shop.ours(rules.formatted("tennant"), writes)))
        .containsExactly(
            AT
                + "\"tennant\" is nothing that a step of the TransformPolicy on HTTPRoute shop/orders writes (there are: tenant)");
  }

  private static List<String> problems(Load load) {
    assertThat(load.problems().hasErrors()).as("%s", load.problems().all()).isFalse();
    var problems = new Problems();
    new LimitTreeCompiler().compile(load.policies(), null, problems);
    return problems.all().stream().map(Problem::toString).toList();
  }
}
