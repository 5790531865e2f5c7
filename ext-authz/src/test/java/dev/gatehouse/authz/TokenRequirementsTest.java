package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.authz.jwt.Algorithm;
import dev.gatehouse.authz.jwt.Requirements;
import dev.gatehouse.authz.rules.ClaimPath;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.SecurityPolicy.TokenRules;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenRequirementsTest {
  private final Problems problems = new Problems();

  @Test
  void a_policy_that_says_nothing_has_the_defaults() {
    assertThat(asked(TokenRules.NONE))
        .isEqualTo(Requirements.of("https://idp.example.com", Set.of("orders")));
  }

  @Test
  void everything_that_a_policy_says_is_asked() {
    var asked = asked(new TokenRules(
        List.of("RS256", "EdDSA"),
        List.of("application/AT+jwt", "JWT"),
        Duration.ofSeconds(5),
        Duration.ofHours(1),
        List.of("client_id", "realm.roles")));

    assertThat(asked.algorithms()).containsExactlyInAnyOrder(Algorithm.RS256, Algorithm.EDDSA);
    assertThat(asked.types()).containsExactlyInAnyOrder("at+jwt", "jwt");
    assertThat(asked.typed()).isTrue();
    assertThat(asked.skew()).isEqualTo(Duration.ofSeconds(5));
    assertThat(asked.maxLifetime()).isEqualTo(Duration.ofHours(1));
    assertThat(asked.claims())
        .containsExactly(ClaimPath.of("client_id"), ClaimPath.of("realm.roles"));
  }

  @Test
  void at_jwt_alone_asks_for_every_claim_of_rfc_9068_and_those_of_the_policy() {
    var asked = asked(new TokenRules(List.of(), List.of("at+jwt"), null, null, List.of("tenant")));
    assertThat(asked.typed()).isTrue();
    assertThat(asked.claims())
        .containsExactlyInAnyOrderElementsOf(
            Stream.of("iss", "exp", "aud", "sub", "client_id", "iat", "jti", "tenant")
                .map(ClaimPath::of)
                .toList());
  }

  @ParameterizedTest
  @CsvSource({
    "HS256, 'expected: any of RS256'",
    "none, 'expected: any of RS256'",
    "rs256, 'did you mean \"RS256\"?'",
    "ES521, 'did you mean \"ES512\"?'"
  })
  void an_algorithm_that_is_none_of_public_keys_is_an_error(String algorithm, String says) {
    refused(
        new TokenRules(List.of(algorithm), List.of(), null, null, List.of()),
        "spec.jwt.providers[0].algorithms",
        says);
  }

  @ParameterizedTest
  @ValueSource(strings = {"logout+jwt", "dpop+jwt", "secevent+jwt", "application/Logout+JWT", ""})
  void a_type_that_is_never_for_access_is_an_error(String type) {
    refused(
        new TokenRules(List.of(), List.of("JWT", type), null, null, List.of()),
        "spec.jwt.providers[0].types",
        "never dpop+jwt, logout+jwt, secevent+jwt");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 301, 86_400})
  void a_skew_is_no_more_than_five_minutes(long seconds) {
    refused(
        new TokenRules(List.of(), List.of(), Duration.ofSeconds(seconds), null, List.of()),
        "spec.jwt.providers[0].clockSkew",
        seconds + "s (expected: 0s to 300s");
  }

  @Test
  void a_skew_of_nothing_and_of_five_minutes_is_taken() {
    for (var skew : List.of(Duration.ZERO, Duration.ofMinutes(5))) {
      assertThat(
              asked(new TokenRules(List.of(), List.of(), skew, null, List.of())).skew())
          .isEqualTo(skew);
    }
  }

  @Test
  void a_lifetime_of_nothing_and_a_claim_without_name_are_errors() {
    refused(
        new TokenRules(List.of(), List.of(), null, Duration.ZERO, List.of("")),
        "spec.jwt.providers[0].maxLifetime",
        "0s (expected: more than nothing)");
    assertThat(problems.all())
        .extracting(Problem::path)
        .contains("spec.jwt.providers[0].requiredClaims");
  }

  private void refused(TokenRules rules, String path, String says) {
    assertThat(read(rules)).isNull();
    assertThat(problems.all()).anySatisfy(problem -> {
      assertThat(problem.path()).isEqualTo(path);
      assertThat(problem.message()).contains(says);
    });
  }

  private Requirements asked(TokenRules rules) {
    var asked = read(rules);
    assertThat(problems.all()).isEmpty();
    return Objects.requireNonNull(asked);
  }

  private @Nullable Requirements read(TokenRules rules) {
    var provider = new SecurityPolicy.Provider(
        "corp",
        "https://idp.example.com",
        List.of("orders"),
        new SecurityPolicy.InlineJwks(""),
        List.of(),
        null,
        rules,
        new Origin("policies.yaml", 7, 3));
    return TokenRequirements.of(provider, "spec.jwt.providers[0]", problems);
  }
}
