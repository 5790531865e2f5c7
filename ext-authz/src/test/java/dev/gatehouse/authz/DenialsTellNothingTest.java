package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.jwt.Issuer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** No denial tells an attacker which part was wrong beyond RFC 6750's error code: its bytes are the same for all. The log tells. */
class DenialsTellNothingTest {
  private static final Call ORDERS = Call.get("/orders");

  private static final String OBJECTS = """
      apiVersion: v1
      kind: Secret
      metadata: {name: clients, namespace: shop}
      stringData: {mobile: key-of-mobile}
      ---
      apiVersion: v1
      kind: Secret
      metadata: {name: users, namespace: shop}
      stringData: {.htpasswd: "ada:{SHA}NWoZK3kTsExUV00Ywo1G5jlUKKs="}
      ---
      """;
  private static final String JWT = Gate.jwt("    audiences: [orders]\n");
  private static final String KEYS =
      "apiKeyAuth: {credentialRefs: [{name: clients}], extractFrom: [{headers: [x-api-key]}]}\n";
  private static final String BASIC = "basicAuth: {users: {name: users}}\n";

  private static final List<Call> BAD_TOKENS = List.of(
      ORDERS.bearer(""),
      ORDERS.bearer("x"),
      ORDERS.bearer("a.b.c.d"),
      ORDERS.bearer(Issuer.token("exp", 1)),
      ORDERS.bearer(Issuer.token("exp", null)),
      ORDERS.bearer(Issuer.token("exp", "1767229200")),
      ORDERS.bearer(Issuer.token("nbf", 1_767_229_000)),
      ORDERS.bearer(Issuer.token("iss", "https://evil.example")),
      ORDERS.bearer(Issuer.token("aud", "other")),
      ORDERS.bearer(Issuer.token("sub", 7)),
      ORDERS.bearer(Issuer.token() + "="),
      ORDERS.bearer(Issuer.token() + "A".repeat(20_000)),
      ORDERS.bearer(spoilt(Issuer.token())),
      ORDERS.bearer(Issuer.signed("{\"alg\":\"none\"}", "{\"exp\":1767229200}")),
      ORDERS.bearer(Issuer.signed("{\"alg\":\"RS256\",\"crit\":[]}", "{\"exp\":1767229200}")),
      ORDERS.bearer(Issuer.signed("{\"alg\":\"RS256\",\"kid\":\"other\"}", claims())),
      ORDERS.bearer(Issuer.signed("{\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}", claims())),
      ORDERS.bearer(Issuer.token()).bearer(Issuer.token()),
      Call.get("/orders?access_token=" + Issuer.token() + "&access_token=x"),
      Call.get("/orders?access_token=x").bearer(Issuer.token()));

  private static final List<Call> BAD_KEYS = List.of(
      ORDERS.with("x-api-key", "key-of-nobody"),
      ORDERS.with("x-api-key", ""),
      ORDERS.with("x-api-key", "key-of-mobil"),
      ORDERS.with("x-api-key", "key-of-mobile").with("x-api-key", "key-of-mobile"),
      ORDERS.with("x-api-key", ByteString.copyFrom(new byte[] {(byte) 0xff})));

  private static final List<Call> BAD_PASSWORDS = List.of(
      basic("ada:2"),
      basic("eve:1"),
      basic("ada"),
      basic(":"),
      basic("ada:" + "1".repeat(5_000)),
      ORDERS.with("authorization", "Basic x"),
      ORDERS.with("authorization", "Basic "),
      basic("ada:1").with("authorization", "Basic x"));

  @Test
  void however_a_credential_is_bad_the_answer_is_the_same() {
    var all = new ArrayList<Call>();
    all.addAll(BAD_TOKENS);
    all.addAll(BAD_KEYS);
    all.addAll(BAD_PASSWORDS);
    for (var each : Map.of(
            JWT, BAD_TOKENS, KEYS, BAD_KEYS, BASIC, BAD_PASSWORDS, JWT + KEYS + BASIC, all)
        .entrySet()) {
      for (var policy : List.of(security(each.getKey()), access(each.getKey()))) {
        try (var gate = Gate.of(OBJECTS + policy)) {
          var first = bytes(gate, each.getValue().getFirst());
          for (var call : each.getValue()) {
            assertThat(bytes(gate, call)).as("%s", call).isEqualTo(first);
            assertThat(bytes(gate, call.joined())).as("%s", call).isEqualTo(first);
            assertThat(gate.last().reason()).isEqualTo("bad-credential");
          }
        }
      }
    }
  }

  @Test
  void the_log_tells_what_was_wrong_with_a_token() {
    try (var gate = Gate.of(security(JWT))) {
      var details = new HashSet<String>();
      for (var call : BAD_TOKENS) {
        gate.check(call);
        details.add(gate.last().detail());
      }
      // "x" and "" have no three parts both; the rest differ.
      assertThat(details).hasSizeGreaterThanOrEqualTo(BAD_TOKENS.size() - 3);
      assertThat(details).allSatisfy(detail -> assertThat(detail).doesNotContain("eyJ"));
    }
  }

  @Test
  void whichever_rule_forbids_the_answer_is_the_same_and_the_log_names_the_rule() {
    var rules = """
        authorization:
          rules:
          - {name: no-delete, action: Deny, operation: {methods: [DELETE]}, principal: {clientCIDRs: [0.0.0.0/0]}}
          - {name: not-there, action: Deny, operation: {path: {type: PathPrefix, value: /orders/secret}}, principal: {clientCIDRs: [0.0.0.0/0]}}
          - {name: admins, action: Allow, principal: {jwt: {provider: corp, claims: [{name: role, values: [admin]}]}}}
        """;
    try (var gate = Gate.of(security(JWT + rules))) {
      var call = ORDERS.bearer(Issuer.token());
      var first = bytes(gate, call);
      var details = new HashSet<>(List.of(gate.last().detail()));
      for (var other : List.of(
          call.method("DELETE"),
          Call.get("/orders/secret").bearer(Issuer.token("role", "admin")),
          Call.get("/orders/a/../b").bearer(Issuer.token()))) {
        assertThat(bytes(gate, other)).isEqualTo(first);
        details.add(gate.last().detail());
      }
      assertThat(details).containsExactlyInAnyOrder("default", "no-delete", "not-there");
    }
  }

  @Test
  void no_credential_and_a_bad_one_differ_by_the_error_code_alone() {
    try (var gate = Gate.of(security(JWT))) {
      var none = gate.check(ORDERS).toString();
      var bad = gate.check(ORDERS.bearer("x")).toString();
      assertThat(bad.replace(", error=\\\"invalid_token\\\"", "")).isEqualTo(none);
      assertThat(bad).isNotEqualTo(none);
    }
    try (var gate = Gate.of(OBJECTS + security(KEYS))) {
      assertThat(bytes(gate, ORDERS)).isEqualTo(bytes(gate, BAD_KEYS.getFirst()));
    }
  }

  private static byte[] bytes(Gate gate, Call call) {
    try {
      return gate.answer(call.request()).get(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("no answer", e);
    }
  }

  private static String security(String spec) {
    return Gate.policy(spec);
  }

  private static String access(String spec) {
    return Gate.policy(spec + "anonymous: {}\n")
        .replace("gateway.envoyproxy.io/v1alpha1", "gatehouse.dev/v1alpha1")
        .replace("SecurityPolicy", "AuthPolicy");
  }

  private static Call basic(String pair) {
    return ORDERS.with(
        "authorization",
        "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)));
  }

  private static String claims() {
    return "{\"iss\":\"" + Issuer.NAME + "\",\"aud\":\"orders\",\"exp\":1767229200}";
  }

  /** Another signature of the same length. */
  private static String spoilt(String token) {
    int middle = token.lastIndexOf('.') + 10;
    return token.substring(0, middle)
        + (token.charAt(middle) == 'A' ? 'B' : 'A')
        + token.substring(middle + 1);
  }
}
