package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.Keys;
import io.jsonwebtoken.security.SignatureAlgorithm;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerifierTest {
  private final KeySources sources = new KeySources(() -> Issuer.NOW);

  @AfterEach
  void close() {
    sources.close();
  }

  static List<SignatureAlgorithm> algorithms() {
    return Issuer.algorithms();
  }

  @ParameterizedTest
  @MethodSource("algorithms")
  void every_public_key_algorithm_verifies_and_a_touched_token_does_not(
      SignatureAlgorithm algorithm) throws Exception {
    var set = Issuer.set(List.of(Issuer.jwk(Issuer.pair(algorithm), algorithm.getId())));
    var token = Issuer.token(algorithm);
    assertThat(verify(set, token).subject()).isEqualTo("alice");

    var parts = token.split("\\.");
    var other = Issuer.token(algorithm, "sub", "mallory").split("\\.");
    refused(set, parts[0] + "." + other[1] + "." + parts[2], "SignatureException");
    refused(set, parts[0] + "." + parts[1] + "." + Issuer.base64(new byte[64]), "jjwt");
    refused(set, parts[0] + "." + parts[1] + ".AA", "jjwt");
  }

  @Test
  void an_hmac_with_the_public_key_as_secret_is_no_signature() {
    var secret = Keys.hmacShaKeyFor(Issuer.rsa("one").getPublic().getEncoded());
    var token =
        Jwts.builder().claims(Issuer.claims()).signWith(secret, Jwts.SIG.HS256).compact();
    refused(Issuer.set(), token, "alg");
  }

  @Test
  void a_psychic_signature_is_none() {
    var set = Issuer.set(List.of(Issuer.jwk(Issuer.pair(Jwts.SIG.ES256), "ES256")));
    var parts = Issuer.token(Jwts.SIG.ES256).split("\\.");
    refused(set, parts[0] + "." + parts[1] + "." + Issuer.base64(new byte[64]), "jjwt");
  }

  @Test
  void a_token_signed_with_a_key_that_it_brings_along_is_refused() {
    var mallory = Issuer.rsa("mallory");
    var token = Jwts.builder()
        .header()
        .keyId("one")
        .jwk(io.jsonwebtoken.security.Jwks.builder()
            .key((java.security.interfaces.RSAPublicKey) mallory.getPublic())
            .build())
        .and()
        .claims(Issuer.claims())
        .signWith(mallory.getPrivate(), Jwts.SIG.RS256)
        .compact();
    refused(Issuer.set(), token, "SignatureException");
  }

  @Test
  void the_issuer_is_the_providers() throws Exception {
    verify(Issuer.set(), Issuer.token());
    for (var issuer :
        new String[] {null, "", Issuer.NAME + "/", Issuer.NAME.toUpperCase(java.util.Locale.ROOT)
        }) {
      refused(Issuer.set(), Issuer.token("iss", issuer), "iss");
    }
  }

  @Test
  void one_audience_of_the_tokens_is_the_providers() throws Exception {
    verify(Issuer.set(), Issuer.token("aud", List.of("other", "orders")));
    verify(Issuer.set(), Issuer.token("aud", "invoices"));
    refused(Issuer.set(), Issuer.token("aud", "order"), "aud");
    refused(Issuer.set(), Issuer.token("aud", List.of()), "aud");
    refused(Issuer.set(), Issuer.token("aud", null), "aud");
  }

  @Test
  void times_have_a_minute_of_skew_and_no_more() throws Exception {
    long now = Issuer.NOW.getEpochSecond();
    verify(Issuer.set(), Issuer.token("exp", now - 59));
    refused(Issuer.set(), Issuer.token("exp", now - 60), "it has expired");
    verify(Issuer.set(), Issuer.token("nbf", now + 60));
    refused(Issuer.set(), Issuer.token("nbf", now + 61), "not valid yet");
    verify(Issuer.set(), Issuer.token("iat", now + 60));
    refused(Issuer.set(), Issuer.token("iat", now + 61), "not valid yet");
  }

  @ParameterizedTest
  @ValueSource(strings = {"logout+jwt", "dpop+jwt", "secevent+jwt", "id+jwt", "JOSE", ""})
  void a_token_of_another_purpose_is_refused(String type) {
    var header = "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"" + type + "\"}";
    refused(Issuer.set(), Issuer.signed(header, StrictJson.write(Issuer.claims())), "typ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"JWT", "jwt", "at+jwt", "application/at+jwt"})
  void an_access_token_is_taken(String type) throws Exception {
    var header = "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"" + type + "\"}";
    verify(Issuer.set(), Issuer.signed(header, StrictJson.write(Issuer.claims())));
  }

  @Test
  void without_a_kid_any_key_of_the_algorithm_may_have_signed() throws Exception {
    var set = Issuer.set(
        List.of(Issuer.jwk(Issuer.rsa("two"), "two"), Issuer.jwk(Issuer.rsa("one"), "one")));
    verify(set, Issuer.signed("{\"alg\":\"RS256\"}", StrictJson.write(Issuer.claims())));
    // A set without kids serves a token with one.
    verify(Issuer.set(List.of(Issuer.jwk(Issuer.rsa("one"), null))), Issuer.token());
  }

  @Test
  void numbers_among_the_claims_are_doubles_and_scopes_come_from_scope_or_scp() throws Exception {
    var token =
        verify(Issuer.set(), Issuer.token("n", 7, "m", Map.of("n", List.of(1)), "scope", " a  b "));
    assertThat(token.claims())
        .containsEntry("n", 7.0)
        .containsEntry("m", Map.of("n", List.of(1.0)));
    assertThat(token.scopes()).containsExactly("a", "b");
    assertThat(verify(Issuer.set(), Issuer.token("scp", List.of("a", "b"))).scopes())
        .containsExactly("a", "b");
    assertThat(verify(Issuer.set(), Issuer.token("scope", "", "scp", "a")).scopes())
        .isEmpty();
    assertThat(verify(Issuer.set(), Issuer.token("scope", 7)).scopes()).isEmpty();
  }

  @Test
  void a_token_stays_valid_until_exp_and_skew() throws Exception {
    var token = verify(Issuer.set(), Issuer.token("exp", Issuer.NOW.getEpochSecond() + 10));
    assertThat(token.valid(Issuer.NOW.plusSeconds(69))).isTrue();
    assertThat(token.valid(Issuer.NOW.plusSeconds(70))).isFalse();
  }

  @Test
  void an_algorithm_that_the_provider_does_not_list_is_refused() throws Exception {
    var only =
        new Requirements(null, Set.of(), Set.of(Algorithm.RS256), Set.of("jwt"), Duration.ZERO);
    var verifier = sources.verifier(sources.local(Issuer.set()), only);
    var token = TokenReader.read(bytes(Issuer.signed(
        "SHA384withRSA",
        Issuer.rsa("one").getPrivate(),
        "{\"alg\":\"RS384\"}",
        StrictJson.write(Issuer.claims()))));
    assertThatExceptionOfType(BadToken.class)
        .isThrownBy(() -> verifier.candidates(token, KeySet.parse(Issuer.set()), Issuer.NOW))
        .withMessageContaining("alg");
  }

  @Test
  void providers_that_ask_for_the_same_share_a_verifier_and_others_do_not() throws Exception {
    var keys = sources.local(Issuer.set());
    var one = sources.verifier(keys, Requirements.of("a", Set.of("x")));
    assertThat(sources.verifier(sources.local(Issuer.set()), Requirements.of("a", Set.of("x"))))
        .isSameAs(one);
    assertThat(sources.verifier(keys, Requirements.of("b", Set.of("x"))).id())
        .isNotEqualTo(one.id());
  }

  private VerifiedToken verify(String set, String token) throws BadToken, BadKeySet {
    var keys = KeySet.parse(set);
    var verifier = sources.verifier(
        sources.local(set), Requirements.of(Issuer.NAME, Set.of("orders", "invoices")));
    var read = TokenReader.read(bytes(token));
    return verifier.verify(read, verifier.candidates(read, keys, Issuer.NOW), Issuer.NOW);
  }

  private void refused(String set, String token, String why) {
    assertThatExceptionOfType(BadToken.class)
        .isThrownBy(() -> verify(set, token))
        .withMessageContaining(why);
  }

  private static byte[] bytes(String token) {
    return token.getBytes(StandardCharsets.UTF_8);
  }
}
