package dev.gatehouse.policy.attach;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.ResourceReader;
import dev.gatehouse.policy.resource.SecurityPolicy;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** SecurityPolicies and AuthPolicies as files say them: what they refer to, which headers they own, how they stand to each other, and {@code mergeType}. */
class SecurityPoliciesTest {
  private static final String SHOP = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: infra}
      spec:
        listeners:
        - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
        - {name: alt, port: 81, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: orders, namespace: shop}
      spec:
        parentRefs: [{name: web, namespace: infra}]
        rules:
        - {name: create, matches: [{path: {value: /create}}]}
        - {name: list, matches: [{path: {value: /list}}]}
      """;
  private static final String KEYS = "extractFrom: [{headers: [x-key]}]";

  private final Problems problems = new Problems();

  private PolicySet load(String... documents) {
    var reader = new ResourceReader(problems);
    reader.read("shop.yaml", SHOP);
    for (int i = 0; i < documents.length; i++) {
      reader.read("p" + (i + 1) + ".yaml", documents[i]);
    }
    return PolicySet.attach(reader.resources(), reader.unreadable(), problems);
  }

  private static String policy(String kind, String id, String target, String spec) {
    var at = id.split("/", -1);
    var to = target.split("/", -1);
    return """
        apiVersion: %s/v1alpha1
        kind: %s
        metadata: {name: %s, namespace: %s}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: %s, name: %s%s}]
        """.formatted(
                kind.equals("AuthPolicy") ? "gatehouse.dev" : "gateway.envoyproxy.io",
                kind,
                at[1],
                at[0],
                to[0],
                to[1],
                to.length > 2 ? ", sectionName: " + to[2] : "")
        + spec.indent(2);
  }

  private static String security(String id, String target, String spec) {
    return policy("SecurityPolicy", id, target, spec);
  }

  private static String secret(String id) {
    var at = id.split("/", -1);
    return "apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s}\nstringData: {a: b}\n"
        .formatted(at[1], at[0]);
  }

  private List<String> errors() {
    return problems.all().stream()
        .filter(problem -> problem.severity() == Problem.Severity.ERROR)
        .map(Problem::toString)
        .toList();
  }

  /** What holds on the rule {@code create} under the listener {@code http}; null if it is refused or nothing does. */
  private static @Nullable SecurityPolicy onCreate(PolicySet set) {
    return on(set, "http", "create");
  }

  private static @Nullable SecurityPolicy on(PolicySet set, String listener, String rule) {
    return attached(set, listener, rule) instanceof Attachment.Of<SecurityPolicy>(var policy)
        ? policy
        : null;
  }

  private static Attachment<SecurityPolicy> attached(PolicySet set, String listener, String rule) {
    return set.rules().stream()
        .filter(
            r -> r.listener().listener().equals(listener) && r.route().rule().equals(rule))
        .findFirst()
        .orElseThrow()
        .security();
  }

  private static SecurityPolicy sound(@Nullable SecurityPolicy policy) {
    assertThat(policy).isNotNull();
    return java.util.Objects.requireNonNull(policy);
  }

  // References

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "apiKeyAuth: {credentialRefs: [{name: kees}], extractFrom: [{headers: [a]}]} | spec.apiKeyAuth.credentialRefs[0].name: no Secret \"shop/kees\" (did you mean \"shop/keys\"? there are: creds/keys, shop/keys)",
        "basicAuth: {users: {name: kees}} | spec.basicAuth.users.name: no Secret \"shop/kees\"",
        "apiKeyAuth: {credentialRefs: [{name: keys}], extractFrom: [{headers: [a]}], clients: {name: keys}} | spec.apiKeyAuth.clients.name: no ConfigMap \"shop/keys\" (there is none)",
        "clientCertificate: {caSecret: {name: ca}} | spec.clientCertificate.caSecret.name: no Secret \"shop/ca\"",
        "clientCertificate: {caSecret: {kind: ConfigMap, name: keys}} | spec.clientCertificate.caSecret.name: no ConfigMap \"shop/keys\"",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'https://a/', tls: {caCertificateRefs: [{name: ca}]}}}]} | spec.jwt.providers[0].remoteJWKS.tls.caCertificateRefs[0].name: no ConfigMap \"shop/ca\"",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'https://a/', tls: {clientCertificateRef: {name: us}}}}]} | spec.jwt.providers[0].remoteJWKS.tls.clientCertificateRef.name: no Secret \"shop/us\"",
      })
  void what_a_policy_refers_to_must_be_there(String spec, String message) {
    load(
        secret("shop/keys"),
        secret("creds/keys"),
        policy("AuthPolicy", "shop/p", "HTTPRoute/orders", spec));

    assertThat(errors()).singleElement().asString().contains(message);
  }

  @Test
  void a_secret_of_another_namespace_needs_a_grant_for_the_policys_kind() {
    var grant = """
        apiVersion: gateway.networking.k8s.io/v1beta1
        kind: ReferenceGrant
        metadata: {name: g, namespace: creds}
        spec:
          from: [{group: gatehouse.dev, kind: AuthPolicy, namespace: shop}]
          to: [{group: "", kind: Secret}]
        """;
    var spec = "basicAuth: {users: {name: users, namespace: creds}}";

    load(
        grant,
        secret("creds/users"),
        policy("AuthPolicy", "shop/a", "HTTPRoute/orders/create", spec),
        security("shop/s", "HTTPRoute/orders/list", spec));

    assertThat(errors())
        .singleElement()
        .asString()
        .startsWith(
            "p4.yaml:6:15: spec.basicAuth.users.namespace: SecurityPolicy shop/s may not refer to Secret creds/users in another namespace");
  }

  // Owned headers

  @Test
  void a_gateway_owns_every_header_that_a_policy_sets_towards_the_upstream() {
    var set = load(secret("shop/s"), policy("AuthPolicy", "shop/p", "HTTPRoute/orders", """
            jwt: {providers: [{name: a, localJWKS: {inline: '{}'}, claimToHeaders: [{claim: sub, header: X-Sub}]}]}
            apiKeyAuth: {credentialRefs: [{name: s}], extractFrom: [{headers: [a]}], forwardClientIDHeader: X-Client}
            basicAuth: {users: {name: s}, forwardUsernameHeader: X-User}
            response: {headers: {X-Plan: gold}, deniedHeaders: {X-Why: because}}
            """));

    assertThat(errors()).isEmpty();
    assertThat(set.ownedHeaders(set.gateways().getFirst()))
        .containsExactly("x-client", "x-plan", "x-sub", "x-user");
  }

  @ParameterizedTest
  @ValueSource(strings = {"HTTPRoute/orders", "HTTPRoute/or_ders"})
  void a_rejected_policys_headers_stay_owned_where_it_holds_and_everywhere_if_nobody_knows(
      String target) {
    var set = load(
        security(
            "shop/p",
            target,
            "jwt: {providers: [{name: a, localJWKS: {inline: '{}'}, claimToHeaders: [{claim: sub, header: x-sub}]}]}\nnonsense: true"));

    assertThat(errors()).isNotEmpty();
    assertThat(set.ownedHeaders(set.gateways().getFirst())).containsExactly("x-sub");
  }

  @Test
  void what_one_policy_sets_another_of_the_gateway_cannot_look_for_credentials_in() {
    var set = load(
        secret("shop/s"),
        security(
            "infra/a",
            "Gateway/web",
            "jwt: {providers: [{name: a, localJWKS: {inline: '{}'}, claimToHeaders: [{claim: sub, header: x-key}]}]}"),
        security(
            "shop/b",
            "HTTPRoute/orders",
            "apiKeyAuth: {credentialRefs: [{name: s}], " + KEYS + "}"));

    assertThat(errors())
        .containsExactly(
            "p3.yaml:1:1: spec: \"x-key\", in which SecurityPolicy shop/b looks for credentials, is set by SecurityPolicy infra/a (p2.yaml:1:1): Gateway infra/web takes it from every request first");
    assertThat(set.ownedHeaders(set.gateways().getFirst())).containsExactly("x-key");
  }

  // Two kinds, one family

  @Test
  void an_auth_policy_and_a_security_policy_compete_and_a_warning_says_which_holds() {
    var set = load(
        security("shop/p", "HTTPRoute/orders", ""),
        policy("AuthPolicy", "shop/p", "HTTPRoute/orders", "anonymous: {}"));

    assertThat(sound(onCreate(set)).meta().kind()).isEqualTo("AuthPolicy");
    assertThat(problems.all())
        .singleElement()
        .asString()
        .isEqualTo(
            "p1.yaml:1:1: warning: spec.targetRefs: two policies on one target: SecurityPolicy shop/p does not hold on HTTPRoute shop/orders, AuthPolicy shop/p (p2.yaml:1:1) does, being first by kind; remove one, or target something narrower");
  }

  @Test
  void the_more_specific_of_the_two_kinds_holds() {
    var set = load(
        policy("AuthPolicy", "shop/a", "HTTPRoute/orders", "anonymous: {}"),
        security("shop/s", "HTTPRoute/orders/create", ""));

    assertThat(sound(onCreate(set)).meta().kind()).isEqualTo("SecurityPolicy");
    assertThat(sound(on(set, "http", "list")).meta().kind()).isEqualTo("AuthPolicy");
    assertThat(problems.all()).isEmpty();
  }

  // mergeType

  private static final String BASE = """
      cors: {allowOrigins: ["https://shop.example"], allowMethods: [GET]}
      jwt:
        optional: true
        providers:
        - {name: corp, issuer: "https://corp.example", localJWKS: {inline: '{}'}, claimToHeaders: [{claim: sub, header: x-user}]}
        - {name: lab, localJWKS: {inline: '{}'}}
      authorization:
        defaultAction: Allow
        rules:
        - {name: corp-only, action: Deny, principal: {jwt: {provider: corp, scopes: [s]}}}
      """;

  private static String merging(String type, String spec) {
    return security("shop/route", "HTTPRoute/orders", "mergeType: " + type + "\n" + spec);
  }

  @ParameterizedTest
  @ValueSource(strings = {"StrategicMerge", "JSONMerge"})
  void a_routes_policy_is_laid_over_its_gateways_field_by_field(String type) {
    var set = load(
        security("infra/base", "Gateway/web", BASE),
        secret("shop/users"),
        merging(type, "cors: {allowMethods: [PUT, POST]}\nbasicAuth: {users: {name: users}}"));

    var merged = sound(onCreate(set));
    assertThat(problems.all()).isEmpty();
    assertThat(merged.meta().title()).isEqualTo("SecurityPolicy shop/route");
    assertThat(sound(merged).cors()).satisfies(cors -> {
      assertThat(java.util.Objects.requireNonNull(cors).allowOrigins())
          .containsExactly("https://shop.example");
      assertThat(cors.allowMethods()).containsExactly("PUT", "POST");
    });
    assertThat(merged.jwt()).isEqualTo(policyNamed(set, "base").jwt());
    assertThat(merged.authorization()).isEqualTo(policyNamed(set, "base").authorization());
    assertThat(merged.basicAuth()).isNotNull();
    assertThat(merged.targets()).isEqualTo(policyNamed(set, "route").targets());
    assertThat(on(set, "alt", "list")).isSameAs(merged);
  }

  private static SecurityPolicy policyNamed(PolicySet set, String name) {
    return (SecurityPolicy) set.policies().stream()
        .filter(policy -> policy.meta().name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(strings = {"StrategicMerge", "JSONMerge"})
  void a_list_replaces_the_parents_since_none_has_a_key_to_merge_by(String type) {
    var set = load(security("infra/base", "Gateway/web", BASE), merging(type, """
            jwt: {providers: [{name: corp, localJWKS: {inline: '{"keys":[]}'}}]}
            authorization: {defaultAction: Allow, rules: []}
            """));

    var merged = sound(onCreate(set));
    var jwt = java.util.Objects.requireNonNull(merged.jwt());
    assertThat(jwt.optional()).isTrue();
    assertThat(jwt.providers()).singleElement().satisfies(provider -> {
      assertThat(provider.issuer()).isNull();
      assertThat(provider.claimToHeaders()).isEmpty();
    });
    assertThat(java.util.Objects.requireNonNull(merged.authorization()).rules()).isEmpty();
  }

  @Test
  void a_default_action_that_a_routes_authorization_leaves_out_is_deny_and_not_its_parents() {
    var set = load(
        security("infra/base", "Gateway/web", BASE),
        merging("JSONMerge", "authorization: {rules: [{action: Allow, cel: 'true'}]}"));

    assertThat(java.util.Objects.requireNonNull(sound(onCreate(set)).authorization())
            .defaultAction())
        .isEqualTo(SecurityPolicy.Action.DENY);
  }

  @Test
  void an_empty_policy_that_merges_is_its_parents_and_one_that_does_not_opts_out() {
    var base = security("infra/base", "Gateway/web", BASE);

    var merged = load(base, merging("StrategicMerge", ""));
    var replaced = load(base, security("shop/route", "HTTPRoute/orders", ""));

    assertThat(sound(onCreate(merged)).jwt())
        .isEqualTo(policyNamed(merged, "base").jwt());
    assertThat(sound(onCreate(replaced)).guards()).isFalse();
  }

  @Test
  void without_a_parent_the_policy_stands_for_itself() {
    var set = load(secret("shop/u"), merging("JSONMerge", "basicAuth: {users: {name: u}}"));

    assertThat(problems.all()).isEmpty();
    assertThat(sound(onCreate(set)).basicAuth()).isNotNull();
  }

  @Test
  void each_listeners_own_policy_is_the_parent_before_its_gateways() {
    var set = load(
        security("infra/base", "Gateway/web", "authorization: {defaultAction: Deny}"),
        security("infra/alt", "Gateway/web/alt", "cors: {allowMethods: [GET]}"),
        merging("JSONMerge", "cors: {allowOrigins: ['https://shop.example']}"));

    assertThat(sound(on(set, "http", "create")).authorization()).isNotNull();
    var alt = sound(on(set, "alt", "create"));
    assertThat(alt.authorization()).isNull();
    assertThat(java.util.Objects.requireNonNull(alt.cors()).allowMethods()).containsExactly("GET");
  }

  @Test
  void a_rules_policy_merges_into_the_gateways_and_not_into_the_routes() {
    var set = load(
        security("infra/base", "Gateway/web", "authorization: {defaultAction: Allow}"),
        security("shop/all", "HTTPRoute/orders", "cors: {allowMethods: [GET]}"),
        security("shop/rule", "HTTPRoute/orders/create", "mergeType: JSONMerge"));

    assertThat(sound(onCreate(set)).authorization()).isNotNull();
    assertThat(sound(onCreate(set)).cors()).isNull();
    assertThat(sound(on(set, "http", "list")).authorization()).isNull();
  }

  @Test
  void of_two_parents_the_one_that_holds_is_merged_into() {
    var set = load(
        security("infra/b", "Gateway/web", "authorization: {defaultAction: Allow}"),
        security("infra/a", "Gateway/web", "authorization: {defaultAction: Deny}"),
        merging("StrategicMerge", ""));

    assertThat(java.util.Objects.requireNonNull(sound(onCreate(set)).authorization())
            .defaultAction())
        .isEqualTo(SecurityPolicy.Action.DENY);
  }

  @Test
  void a_parent_that_only_attaches_a_service_is_none() {
    var set = load(
        security("infra/base", "Gateway/web", "authorization: {defaultAction: Allow}"),
        security("infra/us", "Gateway/web/http", "extAuth: {grpc: {}}"),
        merging("StrategicMerge", ""));

    assertThat(sound(onCreate(set)).authorization()).isNotNull();
  }

  @Test
  void a_rejected_parent_rejects_the_merge() {
    var set = load(
        security("infra/base", "Gateway/web", "oidc: {clientID: c}"),
        merging("StrategicMerge", "authorization: {defaultAction: Allow}"));

    assertThat(attached(set, "http", "create"))
        .isInstanceOfSatisfying(
            Attachment.Rejected.class,
            rejected -> assertThat(rejected.meta().id()).isEqualTo("infra/base"));
  }

  @Test
  void what_does_not_make_sense_together_is_an_error_at_its_own_place_and_refuses_the_route() {
    var set = load(
        security("infra/base", "Gateway/web", BASE),
        merging("JSONMerge", "jwt: {providers: [{name: other, localJWKS: {inline: '{}'}}]}"));

    assertThat(errors())
        .containsExactly(
            "p1.yaml:15:57: spec.authorization.rules[0].principal.jwt.provider: an authorization rule needs the jwt provider \"corp\", which spec.jwt does not have",
            "p2.yaml:6:3: spec.mergeType: SecurityPolicy shop/route merged into SecurityPolicy infra/base (p1.yaml:1:1) cannot be honoured; the other errors say why");
    assertThat(set.rules()).allMatch(rule -> rule.security() instanceof Attachment.Rejected);
  }

  @Test
  void null_takes_nothing_away_and_is_an_error() {
    load(
        security("infra/base", "Gateway/web", BASE),
        merging("JSONMerge", "jwt: null\nauthorization: {rules: null}"));

    assertThat(errors())
        .containsExactly(
            "p2.yaml:7:3: spec.jwt: has no value (expected: a mapping)",
            "p2.yaml:8:19: spec.authorization.rules: has no value (expected: a list)");
  }

  @Test
  void a_gateways_policy_cannot_merge() {
    load(security("infra/base", "Gateway/web", "mergeType: StrategicMerge"));

    assertThat(errors())
        .containsExactly(
            "p1.yaml:6:3: spec.mergeType: can only be used by the policy of a route, which merges into the one of its Gateway or listener; this one targets a Gateway");
  }

  @Test
  void policies_of_different_kinds_do_not_merge() {
    var set = load(
        security("infra/base", "Gateway/web", "authorization: {defaultAction: Deny}"),
        policy(
            "AuthPolicy", "shop/route", "HTTPRoute/orders", "mergeType: JSONMerge\nanonymous: {}"));

    assertThat(errors())
        .containsExactly(
            "p2.yaml:6:3: spec.mergeType: AuthPolicy shop/route cannot be merged into SecurityPolicy infra/base (p1.yaml:1:1): they are of different kinds");
    assertThat(onCreate(set)).isNull();
  }

  @Test
  void auth_policies_merge_too() {
    var set = load(
        policy(
            "AuthPolicy",
            "infra/base",
            "Gateway/web",
            "anonymous: {when: 'true'}\nresponse: {headers: {x-a: a, x-b: b}}"),
        policy(
            "AuthPolicy",
            "shop/route",
            "HTTPRoute/orders",
            "mergeType: JSONMerge\nresponse: {headers: {x-b: c}}\nenforcement: Shadow"));

    var merged = sound(onCreate(set));
    assertThat(errors()).isEmpty();
    assertThat(merged.anonymous()).isNotNull();
    assertThat(merged.shadow()).isTrue();
    assertThat(merged.response().headers())
        .extracting(field -> field.name() + ": " + field.template())
        .containsExactly("x-a: a", "x-b: c");
  }

  @Test
  void what_the_parent_refers_to_is_in_the_parents_namespace() {
    var set = load(
        secret("infra/keys"),
        security(
            "infra/base",
            "Gateway/web",
            "apiKeyAuth: {credentialRefs: [{name: keys}], " + KEYS + "}"),
        secret("shop/users"),
        merging("JSONMerge", "basicAuth: {users: {name: users}}"));

    var merged = sound(onCreate(set));
    assertThat(errors()).isEmpty();
    assertThat(set.secret(java.util.Objects.requireNonNull(merged.apiKeyAuth())
            .credentialRefs()
            .getFirst()))
        .isNotNull();
    assertThat(set.secret(java.util.Objects.requireNonNull(merged.basicAuth()).users()))
        .isNotNull();
  }

  @Test
  void a_name_of_the_routes_in_a_namespace_of_the_parents_needs_a_grant_for_the_route() {
    var set = load(
        secret("creds/users"),
        secret("creds/admins"),
        secret("shop/admins"),
        """
        apiVersion: gateway.networking.k8s.io/v1beta1
        kind: ReferenceGrant
        metadata: {name: g, namespace: creds}
        spec:
          from: [{group: gateway.envoyproxy.io, kind: SecurityPolicy, namespace: infra}]
          to: [{group: "", kind: Secret}]
        """,
        security(
            "infra/base", "Gateway/web", "basicAuth: {users: {name: users, namespace: creds}}"),
        merging("JSONMerge", "basicAuth: {users: {name: admins}}"));

    assertThat(errors())
        .singleElement()
        .asString()
        .contains("SecurityPolicy shop/route may not refer to Secret creds/admins");
    assertThat(onCreate(set)).isNull();
  }
}
