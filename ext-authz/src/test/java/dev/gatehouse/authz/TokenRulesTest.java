package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.authz.jwt.Issuer;
import dev.gatehouse.authz.jwt.StrictJson;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an AuthPolicy asks of tokens, from its YAML to Envoy's answer. */
class TokenRulesTest {
  private static final long NOW = Issuer.NOW.getEpochSecond();
  private static final Map<String, Object> ACCESS =
      Issuer.claims("client_id", "shop", "iat", NOW, "jti", "7");

  @Test
  void access_tokens_of_rfc_9068_alone_pass_where_they_are_asked_for() {
    try (var gate = gate("types: [at+jwt]")) {
      assertThat(status(gate, "at+jwt", ACCESS)).isEqualTo(200);
      assertThat(status(gate, "JWT", ACCESS)).isEqualTo(401);
      assertThat(status(gate, "at+jwt", Issuer.claims())).isEqualTo(401);
    }
  }

  @Test
  void lifetime_skew_and_claims_are_the_policys() {
    try (var gate = gate("maxLifetime: 1h\n    clockSkew: 0s\n    requiredClaims: [client_id]")) {
      assertThat(status(gate, "JWT", ACCESS)).isEqualTo(200);
      assertThat(status(gate, "JWT", Issuer.claims("iat", NOW))).isEqualTo(401);
      assertThat(status(gate, "JWT", Issuer.claims("client_id", "shop", "iat", NOW - 1)))
          .isEqualTo(401);
      assertThat(
              status(gate, "JWT", Issuer.claims("client_id", "shop", "iat", NOW, "nbf", NOW + 1)))
          .isEqualTo(401);
    }
  }

  @Test
  void only_the_algorithms_that_are_named_pass() {
    try (var gate = gate("algorithms: [ES256]")) {
      assertThat(status(gate, "JWT", ACCESS)).isEqualTo(401);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "types: [logout+jwt]",
        "types: [at+jwt, application/DPoP+jwt]",
        "types: [secevent+jwt]",
        "algorithms: [HS256]",
        "algorithms: [none]",
        "clockSkew: 6m"
      })
  void what_nobody_may_ask_for_denies_the_policys_routes(String rules) {
    try (var gate = Gate.flawed(policy(rules))) {
      assertThat(status(gate, "at+jwt", ACCESS)).isEqualTo(503);
    }
  }

  private static int status(Gate gate, String type, Map<String, Object> claims) {
    var header = StrictJson.write(Map.of("alg", "RS256", "kid", "one", "typ", type));
    var token = Issuer.signed(header, StrictJson.write(claims));
    return gate.status(Call.get("/orders").bearer(token));
  }

  private static Gate gate(String rules) {
    return Gate.of(policy(rules));
  }

  private static String policy(String rules) {
    return Gate.policy(Gate.jwt("").stripTrailing() + "\n    " + rules + "\n")
        .replace("gateway.envoyproxy.io/v1alpha1", "gatehouse.dev/v1alpha1")
        .replace("SecurityPolicy", "AuthPolicy");
  }
}
