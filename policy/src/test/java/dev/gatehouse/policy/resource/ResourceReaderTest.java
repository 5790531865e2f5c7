package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ResourceReaderTest {
  private static final String ROUTE =
      "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec: {parentRefs: [{name: g}]}\n";

  @Test
  void all_errors_of_a_text_are_reported_at_once_each_with_its_line_and_column() {
    var read = Read.of("policies/orders.yaml", """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: SecurityPolicy
        metadata:
          name: orders
          lables: {a: b}
        spec:
          targetRefs:
          - group: gateway.networking.k8s.io
            kind: HTTPRoute
            name: orders
          jwt:
            providers:
            - name: corp
              audience: [orders]
              remoteJWKS:
                uri: ftp://idp.example.com
                cacheDuration: 5 minutes
        ---
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: BackendTrafficPolicy
        metadata: {name: slow}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
          rateLimit: {type: Global, global: {rules: [{limit: {requests: -1, unit: Minutes}}]}}
        """);

    assertThat(read.problems())
        .containsExactly(
            "policies/orders.yaml:5:3: metadata.lables: unknown field (did you mean \"labels\"?)",
            "policies/orders.yaml:14:7: spec.jwt.providers[0].audience: unknown field (did you mean \"audiences\"?)",
            "policies/orders.yaml:16:9: spec.jwt.providers[0].remoteJWKS.uri: \"ftp://idp.example.com\" is not an http or https URI with a host and without user information",
            "policies/orders.yaml:17:9: spec.jwt.providers[0].remoteJWKS.cacheDuration: \"5 minutes\" is not a duration such as 300s, 5m or 1h30m",
            "policies/orders.yaml:24:55: spec.rateLimit.global.rules[0].limit.requests: \"-1\" is out of range (expected: 0 to 4294967295)",
            "policies/orders.yaml:24:69: spec.rateLimit.global.rules[0].limit.unit: \"Minutes\" is not one of Day, Hour, Minute, Month, Second, Week, Year (did you mean \"Minute\"?)");
    assertThat(read.resources())
        .allSatisfy(r -> assertThat(r).isInstanceOf(RejectedPolicy.class))
        .extracting(r -> ((RejectedPolicy) r).targets().refs().getFirst().name())
        .containsExactly("orders", "orders");
  }

  @Test
  void a_kind_that_is_not_known_is_skipped_with_a_notice() {
    var read = Read.of(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n");

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:1:1: notice: skipped: Gatehouse does not read Deployment (apps/v1)");
    assertThat(read.unreadable()).isEmpty();
  }

  @Test
  void kinds_of_the_known_groups_that_are_somebody_elses_are_skipped_too() {
    for (var kind : new String[] {
      "gateway.networking.k8s.io/v1 TCPRoute",
      "gateway.envoyproxy.io/v1alpha1 EnvoyPatchPolicy",
      "kuadrant.io/v1 AuthPolicy"
    }) {
      var parts = kind.split(" ", -1);
      var read =
          Read.of("apiVersion: %s\nkind: %s\nmetadata: {name: d}\n".formatted(parts[0], parts[1]));

      assertThat(read.problems()).singleElement().asString().contains("notice: skipped");
    }
  }

  @Test
  void a_misspelt_kind_of_policy_is_rejected_with_its_targets_and_not_skipped() {
    var read = Read.of("""
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: SecurtyPolicy
        metadata: {name: p}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        """);

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:2:1: kind: unknown kind \"SecurtyPolicy\" (did you mean \"SecurityPolicy\"?)");
    assertThat(read.resources())
        .singleElement()
        .isInstanceOfSatisfying(
            RejectedPolicy.class,
            p -> assertThat(p.meta().title()).isEqualTo("SecurityPolicy default/p"));
  }

  @Test
  void a_misspelt_group_is_no_way_around_a_policy_either() {
    var read = Read.of(
        "apiVersion: gateway.envoyproxi.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: p}\nspec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]}\n");

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:1:1: apiVersion: \"gateway.envoyproxi.io/v1alpha1\" is not a version of SecurityPolicy that Gatehouse reads (expected: gateway.envoyproxy.io/v1alpha1)");
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
  }

  @Test
  void an_unknown_kind_of_our_own_group_counts_against_every_route() {
    var read = Read.of("apiVersion: gatehouse.dev/v1alpha1\nkind: Firewall\nmetadata: {name: p}\n");

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:2:1: kind: \"Firewall\" is not a kind of gatehouse.dev/v1alpha1 that Gatehouse knows");
    assertThat(read.unreadable()).containsExactly("p.yaml:1:1");
  }

  @Test
  void a_document_that_has_no_name_counts_as_unreadable() {
    var read = Read.of(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n---\nkind: HTTPRoute\n---\njust a text\n");

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:3:1: metadata: \"name\" is missing",
            "p.yaml:5:1: \"apiVersion\" is missing",
            "p.yaml:7:1: \"just a text\" is not a mapping");
    assertThat(read.unreadable()).containsExactly("p.yaml:1:1", "p.yaml:5:1", "p.yaml:7:1");
  }

  @Test
  void a_name_holds_no_slash_since_bindings_are_made_of_names() {
    assertThat(Read.of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a/b, namespace: C}\n")
            .problems())
        .containsExactly(
            "p.yaml:3:12: metadata.name: \"a/b\" is not a name of lower-case letters, digits, '-' and '.'",
            "p.yaml:3:23: metadata.namespace: \"C\" is not a namespace of lower-case letters, digits and '-'");
  }

  @Test
  void what_kubernetes_adds_to_metadata_is_no_problem() {
    var read = Read.of("""
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: a
          creationTimestamp: 2026-01-31T12:00:00Z
          uid: 0c3b
          resourceVersion: "12"
          generation: 1
          annotations: null
          managedFields: [{manager: kubectl}]
        status: {}
        """);

    assertThat(read.only(ConfigMap.class).meta().created()).isEqualTo("2026-01-31T12:00:00Z");
  }

  @Test
  void two_resources_of_one_kind_and_name_are_an_error_at_the_second_and_neither_holds() {
    var config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

    var read = Read.of(config + "---\n" + config + "---\n" + config);

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:5:1: metadata.name: ConfigMap default/a stands twice, first at p.yaml:1:1; neither is in force, remove one",
            "p.yaml:9:1: metadata.name: ConfigMap default/a stands twice, first at p.yaml:1:1; neither is in force, remove one");
    assertThat(read.resources()).isEmpty();
  }

  @Test
  void two_policies_of_one_name_are_rejected_with_the_targets_of_both() {
    var policy =
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: p}\nspec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: %s}]}\n";

    var read = Read.of(policy.formatted("a") + "---\n" + policy.formatted("b"));

    assertThat(read.resources())
        .singleElement()
        .isInstanceOfSatisfying(
            RejectedPolicy.class,
            p -> assertThat(p.targets().refs())
                .extracting(Targets.Ref::name)
                .containsExactly("a", "b"));
  }

  @Test
  void a_third_policy_of_one_name_keeps_no_target_open() {
    var policy =
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: p}\nspec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: %s}]}\n---\n";

    var read = Read.of(policy.formatted("a") + policy.formatted("b") + policy.formatted("c"));

    assertThat(read.resources())
        .singleElement()
        .isInstanceOfSatisfying(
            RejectedPolicy.class,
            p -> assertThat(p.targets().refs())
                .extracting(Targets.Ref::name)
                .containsExactly("a", "b", "c"));
  }

  @Test
  void two_routes_of_one_name_count_against_every_route() {
    var read = Read.of(ROUTE + "---\n" + ROUTE);

    assertThat(read.resources()).isEmpty();
    assertThat(read.unreadable()).containsExactly("HTTPRoute default/r (p.yaml:6:1)");
  }

  @Test
  void a_field_in_the_wrong_place_rejects_the_policy() {
    var read = Read.of("""
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: SecurityPolicy
        metadata: {name: p}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        jwt: {providers: []}
        """);

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:6:1: jwt: unknown field (is it meant for spec? then indent it below that)");
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
  }

  @Test
  void a_field_without_a_value_is_an_error_since_an_empty_jwt_would_opt_out() {
    assertThat(Read.spec("SecurityPolicy", "jwt:\n").problems())
        .containsExactly("p.yaml:6:3: spec.jwt: has no value (expected: a mapping)");
  }
}
