package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Struct;
import dev.gatehouse.authz.jwt.Issuer;
import dev.gatehouse.server.Decision.Outcome;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole Check of policies that name other methods than tokens, or several. */
class AuthPolicyTest {
  private static final Call ORDERS = Call.get("/orders");

  private static final String OBJECTS = """
      apiVersion: v1
      kind: Secret
      metadata: {name: clients, namespace: shop}
      stringData: {mobile: key-of-mobile, partner: key-of-partner}
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: clients, namespace: shop}
      data: {mobile: '{"plan": "gold", "quota": 7, "nothing": null}'}
      ---
      apiVersion: v1
      kind: Secret
      metadata: {name: users, namespace: shop}
      stringData: {.htpasswd: "ada:{SHA}NWoZK3kTsExUV00Ywo1G5jlUKKs=\\nbob:$2b$04$cCh3QOM/j5MpVxmtT9jOSuF7UXsOJpq6VhY/Xq00JXpexTWTnYeIa"}
      ---
      """;

  private static final String KEYS = """
      apiKeyAuth:
        credentialRefs: [{name: clients}]
        extractFrom: [{headers: [x-api-key]}]
        clients: {name: clients}
      """;

  private static final String BASIC = "basicAuth: {users: {name: users}}\n";

  @Test
  void a_clients_attributes_are_told_to_later_filters() {
    try (var gate = gate(KEYS)) {
      var answer = gate.check(ORDERS.with("x-api-key", "key-of-mobile"));
      var auth = auth(answer);
      assertThat(auth.getFieldsOrThrow("method").getStringValue()).isEqualTo("apiKey");
      assertThat(auth.getFieldsOrThrow("sub").getStringValue()).isEqualTo("mobile");
      assertThat(auth.getFieldsOrThrow("plan").getStringValue()).isEqualTo("gold");
      assertThat(auth.getFieldsOrThrow("claims").getStructValue().getFieldsMap())
          .containsOnlyKeys("plan", "quota");
      assertThat(answer.getDynamicMetadata().getFieldsMap())
          .containsKeys("gatehouse.plan", "gatehouse.quota", "gatehouse.sub");
      assertThat(gate.last().who()).isEqualTo("mobile");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "apiKeyAuth: {credentialRefs: [{name: gone}], extractFrom: [{headers: [x-api-key]}]}",
        "apiKeyAuth: {credentialRefs: [{name: clients}], extractFrom: [{headers: [x-api-key]}], clients: {name: gone}}",
        "basicAuth: {users: {name: gone}}",
        "clientCertificate: {caSecret: {name: gone}}",
        "jwt: {providers: [{name: a, localJWKS: {type: ValueRef, valueRef: {kind: ConfigMap, name: gone}}}]}"
      })
  void a_policy_of_which_an_object_is_not_there_is_refused_and_that_is_said_once(String method) {
    try (var gate = Gate.flawed(OBJECTS + policy(method + "\nanonymous: {}\n"))) {
      assertThat(gate.problems.all()).hasSize(1);
      assertThat(gate.problems.all().toString()).contains("\"shop/gone\"");
      assertThat(gate.status(ORDERS)).isEqualTo(503);
      assertThat(gate.last().reason()).isEqualTo("policy-rejected");
    }
  }

  @Test
  void a_key_that_two_clients_share_is_an_error_that_does_not_quote_it() {
    try (var gate =
        Gate.flawed(OBJECTS.replace("key-of-partner", "key-of-mobile") + policy(KEYS))) {
      assertThat(gate.problems.all().toString())
          .contains("is the key of \"mobile\" already")
          .doesNotContain("key-of-mobile");
      assertThat(gate.status(ORDERS.with("x-api-key", "key-of-mobile"))).isEqualTo(503);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ada:1", "bob:2"})
  void a_user_and_a_password_identify(String pair) {
    try (var gate = gate(BASIC)) {
      assertThat(gate.status(ORDERS.with("authorization", basic(pair)))).isEqualTo(200);
      assertThat(gate.last().who()).isEqualTo(pair.substring(0, 3));
      assertThat(gate.status(ORDERS.with("authorization", basic(pair + "1")))).isEqualTo(401);
      await().until(() -> gate.last().reason().equals("bad-credential"));
      assertThat(gate.last().detail()).doesNotContain(pair);
    }
  }

  @Test
  void a_bad_credential_is_refused_whatever_else_there_is() {
    var all = Gate.jwt("") + KEYS + BASIC + "anonymous: {}\n";
    try (var gate = gate(all)) {
      assertThat(gate.status(ORDERS)).isEqualTo(200);
      assertThat(gate.last().reason()).isEqualTo("anonymous");
      var good = ORDERS.bearer(Issuer.token());
      assertThat(gate.status(good)).isEqualTo(200);
      assertThat(gate.status(good.with("x-api-key", "key-of-partner"))).isEqualTo(200);
      assertThat(gate.status(good.with("x-api-key", "x"))).isEqualTo(401);
      assertThat(gate.last().detail()).startsWith("apiKey: ");
      assertThat(gate.status(ORDERS.bearer("x").with("x-api-key", "key-of-partner")))
          .isEqualTo(401);
      assertThat(gate.status(ORDERS.with("authorization", "Basic x"))).isEqualTo(401);
    }
  }

  @Test
  void several_good_ones_are_one_caller_of_whom_the_first_says_most() {
    try (var gate = gate(Gate.jwt("") + KEYS)) {
      var answer = gate.check(ORDERS.bearer(Issuer.token()).with("x-api-key", "key-of-mobile"));
      var auth = auth(answer);
      assertThat(auth.getFieldsOrThrow("method").getStringValue()).isEqualTo("jwt");
      assertThat(auth.getFieldsOrThrow("sub").getStringValue()).isEqualTo("alice");
      assertThat(auth.getFieldsOrThrow("plan").getStringValue()).isEqualTo("gold");
    }
  }

  @Test
  void anonymous_holds_under_its_condition_only_and_sees_no_caller() {
    try (var gate = gate(KEYS + "anonymous: {when: \"request.headers['x-a'] == 'b'\"}\n")) {
      assertThat(gate.status(ORDERS.with("x-a", "b"))).isEqualTo(200);
      assertThat(gate.status(ORDERS.with("x-a", "c"))).isEqualTo(401);
      // It cannot be evaluated: not there.
      assertThat(gate.status(ORDERS)).isEqualTo(401);
    }
    try (var gate =
        Gate.flawed(OBJECTS + policy(KEYS + "anonymous: {when: \"has(auth.sub)\"}\n"))) {
      assertThat(gate.problems.all().toString()).contains("nothing is called \"auth");
    }
  }

  @Test
  void an_optional_token_lets_nobody_pass_where_another_method_must_hold() {
    var security = Gate.policy(
        Gate.jwt("  optional: true") + "\n" + KEYS.replace("  clients: {name: clients}\n", ""));
    try (var gate = Gate.of(OBJECTS + security)) {
      assertThat(gate.status(ORDERS)).isEqualTo(401);
      assertThat(gate.status(ORDERS.bearer(Issuer.token()))).isEqualTo(401);
      assertThat(gate.status(ORDERS.with("x-api-key", "key-of-partner"))).isEqualTo(200);
      assertThat(gate.status(ORDERS.with("x-api-key", "key-of-partner").bearer("x")))
          .isEqualTo(401);
    }
  }

  @Test
  void a_header_without_a_value_is_removed_and_not_the_clients() {
    var response = """
        response:
          headers:
            x-sub: "${auth.sub}"
            x-tenant: "${auth.claims.tenant}"
            x-path: "${request.url_path}"
            x-agent: "${request.headers['user-agent']}"
          metadata: {tier: "${auth.plan}-tier"}
        """;
    try (var gate = gate(KEYS + response)) {
      var call = ORDERS
          .with("x-api-key", "key-of-mobile")
          .with("x-tenant", "admin")
          .with("x-agent", "admin");
      var answer = gate.check(call);
      assertThat(set(answer))
          .containsExactlyInAnyOrderEntriesOf(Map.of("x-sub", "mobile", "x-path", "/orders"));
      assertThat(answer.getOkResponse().getHeadersToRemoveList())
          .containsExactly("x-agent", "x-tenant");
      // What a client writes is no line of its own.
      answer = gate.check(call.with("user-agent", "a\r\nx-admin: yes"));
      assertThat(set(answer)).doesNotContainKey("x-agent");
      assertThat(auth(answer)
              .getFieldsOrThrow("claims")
              .getStructValue()
              .getFieldsOrThrow("tier")
              .getStringValue())
          .isEqualTo("gold-tier");
      assertThat(answer.getDynamicMetadata().getFieldsMap()).containsKey("gatehouse.tier");
    }
  }

  @Test
  void a_decisions_id_goes_with_the_request_and_with_the_denial() {
    var response = """
        response:
          headers: {x-decision: "${decision.id}"}
          deniedHeaders: {x-decision: "${decision.id}", x-path: "${request.url_path}"}
        """;
    var id = "11111111-2222-3333-4444-555555555555";
    try (var gate = gate(KEYS + response)) {
      var call = ORDERS.with("x-request-id", id);
      assertThat(set(gate.check(call.with("x-api-key", "key-of-mobile"))))
          .containsEntry("x-decision", id);
      var denied = gate.check(call);
      assertThat(Gate.status(denied)).isEqualTo(401);
      assertThat(denied.getDeniedResponse().getHeadersList())
          .extracting(h -> h.getHeader().getKey() + ": " + h.getHeader().getValue())
          .contains(
              "x-decision: " + id,
              "x-path: /orders",
              "www-authenticate: ApiKey realm=\"gatehouse\"");
      assertThat(denied.getDeniedResponse().getBody()).isEqualTo("401 Unauthorized\n");
    }
  }

  @Test
  void shadow_lets_pass_what_it_would_deny_and_says_so() {
    var rules = """
        enforcement: Shadow
        authorization:
          rules:
          - {action: Allow, principal: {jwt: {provider: corp, scopes: [read]}}}
        """;
    try (var gate = gate(Gate.jwt("") + rules)) {
      assertThat(gate.status(ORDERS.bearer(Issuer.token("scope", "read")))).isEqualTo(200);
      assertThat(gate.last().reason()).isEqualTo("allowed");
      assertThat(gate.status(ORDERS.bearer(Issuer.token()))).isEqualTo(200);
      assertThat(gate.last().reason()).isEqualTo("shadow-insufficient-scope");
      assertThat(gate.last().outcome()).isEqualTo(Outcome.ALLOWED);
      var answer = gate.check(ORDERS.bearer("x").with("x-user", "root"));
      assertThat(Gate.status(answer)).isEqualTo(200);
      assertThat(answer.getOkResponse().getHeadersToRemoveList()).containsExactly("x-user");
      assertThat(gate.last().reason()).isEqualTo("shadow-bad-credential");
      assertThat(gate.status(ORDERS)).isEqualTo(200);
      assertThat(gate.last().reason()).isEqualTo("shadow-no-credential");
    }
  }

  @Test
  void shadow_lets_pass_what_nobody_can_decide() {
    var spec = """
        enforcement: Shadow
        jwt:
          providers:
          - name: corp
            issuer: %s
            remoteJWKS: {uri: "http://127.0.0.1:1/jwks"}
        """.formatted(Issuer.NAME);
    try (var gate = gate(spec)) {
      assertThat(gate.status(ORDERS.bearer(Issuer.token()))).isEqualTo(200);
      assertThat(gate.last().reason()).startsWith("shadow-").isNotEqualTo("shadow-allowed");
    }
  }

  @Test
  void who_passed_and_why_is_said() {
    try (var gate = Gate.of(Gate.policy(Gate.jwt("  optional: true")))) {
      gate.check(ORDERS);
      assertThat(gate.last().reason()).isEqualTo("optional");
      gate.check(ORDERS.bearer(Issuer.token()));
      assertThat(gate.last().reason()).isEqualTo("allowed");
      gate.check(ORDERS.bound("shop/web/http", "HTTPRoute/shop/public/all"));
      assertThat(gate.last().reason()).isEqualTo("open");
    }
    var rulesOnly = """
        authorization:
          defaultAction: Deny
          rules:
          - {action: Allow, principal: {clientCIDRs: [192.0.2.0/24]}}
        """;
    try (var gate = Gate.of(Gate.policy(rulesOnly))) {
      gate.check(ORDERS);
      assertThat(gate.last().reason()).isEqualTo("no-method");
    }
  }

  private static Gate gate(String spec) {
    return Gate.of(OBJECTS + policy(spec));
  }

  private static String policy(String spec) {
    return Gate.policy(spec)
        .replace("gateway.envoyproxy.io/v1alpha1", "gatehouse.dev/v1alpha1")
        .replace("SecurityPolicy", "AuthPolicy");
  }

  private static String basic(String pair) {
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }

  private static Struct auth(CheckResponse answer) {
    assertThat(Gate.status(answer)).isEqualTo(200);
    return answer.getDynamicMetadata().getFieldsOrThrow("auth").getStructValue();
  }

  private static Map<String, String> set(CheckResponse answer) {
    var set = new LinkedHashMap<String, String>();
    answer
        .getOkResponse()
        .getHeadersList()
        .forEach(h -> set.put(h.getHeader().getKey(), h.getHeader().getValue()));
    return set;
  }
}
