package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.jsonwebtoken.Jwts;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeySetTest {
  private static final KeyPair ONE = Issuer.rsa("one");
  private static final KeyPair TWO = Issuer.rsa("two");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[],\"keys\":[]}",
        "{\"keys\":[1]}",
        "{\"keys\":[{}]}",
        "{\"keys\":[{\"kty\":\"RSA\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
        "{\"keys\":[{\"kty\":\"XYZ\"}]}"
      })
  void what_is_no_key_set_is_refused(String json) {
    assertThatExceptionOfType(BadKeySet.class).isThrownBy(() -> KeySet.parse(json));
  }

  @Test
  void a_set_with_a_symmetric_key_is_refused_whole() {
    var oct = Map.<String, Object>of("kty", "oct", "k", "c2VjcmV0", "kid", "two");
    refused(List.of(Issuer.jwk(ONE, "one"), oct), "keys[1].kty: oct (expected: public keys only)");
  }

  @Test
  void a_set_with_a_private_key_is_refused_whole() {
    refused(List.of(Issuer.jwk(ONE, "one", Map.of("d", "AQAB"))), "keys[0]: a private key");
  }

  @Test
  void a_set_with_two_keys_of_one_kid_is_refused_whole() {
    refused(
        List.of(Issuer.jwk(ONE, "k"), Issuer.jwk(TWO, "k")),
        "keys[1].kid: there is another key of this kid");
  }

  @Test
  void a_set_is_bounded_in_size() {
    assertThatExceptionOfType(BadKeySet.class)
        .isThrownBy(() -> KeySet.parse("{\"keys\":[" + " ".repeat(256 << 10) + "]}"))
        .withMessageContaining("at most 262144");
    assertThatExceptionOfType(BadKeySet.class)
        .isThrownBy(() -> KeySet.parse("{\"keys\":[" + "{},".repeat(100) + "{}]}"))
        .withMessageContaining("at most 100");
  }

  @Test
  void a_weak_or_useless_key_is_left_out_and_the_others_serve() throws Exception {
    var generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(1024);
    var weak = generator.generateKeyPair();
    var set = KeySet.parse(Issuer.set(List.of(
        Issuer.jwk(weak, "weak"),
        Issuer.jwk(ONE, "enc", Map.of("use", "enc")),
        Issuer.jwk(ONE, "sign", Map.of("key_ops", List.of("sign"))),
        Issuer.jwk(ONE, "hs", Map.of("alg", "HS256")),
        Issuer.jwk(ONE, "es", Map.of("alg", "ES256")),
        Map.of("kty", "EC", "crv", "secp256k1", "x", "AA", "y", "AA"),
        Issuer.jwk(ONE, "good"))));

    assertThat(set.leftOut()).hasSize(6).anyMatch(why -> why.contains("1024 bits"));
    assertThat(candidates(set, "{\"alg\":\"RS256\"}"))
        .singleElement()
        .satisfies(key -> assertThat(key.kid()).isEqualTo("good"));
    assertThat(candidates(set, "{\"alg\":\"RS256\",\"kid\":\"weak\"}")).isEmpty();
    refused(List.of(Issuer.jwk(weak, "weak")), "no key that can check a signature");
  }

  @Test
  void a_key_that_can_be_factored_is_left_out() {
    var roca = Map.<String, Object>of(
        "kty", "RSA", "e", "AQAB", "n", Issuer.base64(RocaTest.vulnerable().toByteArray()));
    refused(List.of(roca), "CVE-2017-15361");
  }

  @ParameterizedTest
  @ValueSource(strings = {"AQ", "Ag", "AQAA"})
  void an_exponent_of_one_or_an_even_one_leaves_its_key_out(String exponent) {
    refused(List.of(Issuer.jwk(ONE, "one", Map.of("e", exponent))), "keys[0]: ");
  }

  @Test
  void certificates_of_a_key_are_not_looked_at() throws Exception {
    var set = KeySet.parse(Issuer.set(
        List.of(Issuer.jwk(ONE, "one", Map.of("x5c", List.of("no certificate"), "x5u", 7)))));
    assertThat(candidates(set, Issuer.header())).hasSize(1);
  }

  @Test
  void the_key_of_a_kid_is_for_the_tokens_algorithm_or_none_is() throws Exception {
    var set = KeySet.parse(Issuer.set(List.of(
        Issuer.jwk(
            ONE, "rs256", Map.of("alg", "RS256", "use", "sig", "key_ops", List.of("verify"))),
        Issuer.jwk(TWO, "rsa"),
        Issuer.jwk(Issuer.pair(Jwts.SIG.ES256), "p256"))));

    assertThat(candidates(set, "{\"alg\":\"RS256\",\"kid\":\"rs256\"}")).hasSize(1);
    assertThat(candidates(set, "{\"alg\":\"PS512\",\"kid\":\"rsa\"}")).hasSize(1);
    assertThat(candidates(set, "{\"alg\":\"ES256\",\"kid\":\"p256\"}")).hasSize(1);
    for (var header : List.of(
        "{\"alg\":\"PS256\",\"kid\":\"rs256\"}",
        "{\"alg\":\"ES256\",\"kid\":\"rsa\"}",
        "{\"alg\":\"ES384\",\"kid\":\"p256\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"p256\"}",
        "{\"alg\":\"RS256\",\"kid\":\"p256\"}")) {
      assertThatExceptionOfType(BadToken.class).isThrownBy(() -> candidates(set, header));
    }
  }

  @Test
  void a_kid_is_compared_and_nothing_else() throws Exception {
    var set = KeySet.parse(Issuer.set());
    for (var kid : List.of("../../etc/passwd", "' OR 1=1", "ONE", "one ", "")) {
      assertThat(candidates(set, StrictJson.write(Map.of("alg", "RS256", "kid", kid))))
          .isEmpty();
    }
  }

  @Test
  void a_token_without_kid_is_tried_against_a_few_keys_only() throws Exception {
    var four = List.of(
        Issuer.jwk(ONE, "1"), Issuer.jwk(ONE, "2"), Issuer.jwk(ONE, "3"), Issuer.jwk(ONE, "4"));
    assertThat(candidates(KeySet.parse(Issuer.set(four)), "{\"alg\":\"RS256\"}"))
        .hasSize(4);
    var five = new java.util.ArrayList<>(four);
    five.add(Issuer.jwk(ONE, "5"));
    var set = KeySet.parse(Issuer.set(five));
    assertThatExceptionOfType(BadToken.class)
        .isThrownBy(() -> candidates(set, "{\"alg\":\"RS256\"}"));
  }

  @Test
  void every_set_has_a_generation_of_its_own() throws Exception {
    assertThat(KeySet.parse(Issuer.set()).generation())
        .isNotEqualTo(KeySet.parse(Issuer.set()).generation());
  }

  private static List<VerificationKey> candidates(KeySet set, String header) throws BadToken {
    var token = Issuer.signed(header, StrictJson.write(Issuer.claims()));
    return set.candidates(
        TokenReader.jws(token.getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
  }

  private static void refused(List<Map<String, Object>> jwks, String why) {
    assertThatExceptionOfType(BadKeySet.class)
        .isThrownBy(() -> KeySet.parse(Issuer.set(jwks)))
        .withMessageContaining(why);
  }
}
