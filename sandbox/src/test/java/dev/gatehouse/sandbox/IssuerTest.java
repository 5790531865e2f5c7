package dev.gatehouse.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

final class IssuerTest {
  @Test
  void tokens_say_what_they_are_told_and_name_their_key() throws Exception {
    try (var issuer = Issuer.random()) {
      var token = issuer.token("ES256", Map.of("typ", "at+jwt"), Map.of("sub", "ada"));

      assertThat(part(token, 0))
          .isEqualTo("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"case-es256\"}");
      assertThat(part(token, 1)).isEqualTo("{\"sub\":\"ada\"}");
      assertThat(Base64.getUrlDecoder().decode(token.split("\\.")[2])).hasSize(64);
      assertThat(issuer.token("none", Map.of(), Map.of())).endsWith(".");
      assertThat(get(issuer.url() + "/jwks.json")).isEqualTo(issuer.jwks()).contains("case-es256");
    }
  }

  @Test
  void the_demo_key_is_the_same_at_every_start() {
    try (var one = Issuer.demo();
        var two = Issuer.demo()) {
      assertThat(one.rsaJwks()).isEqualTo(two.rsaJwks()).contains("gatehouse-demo-only-rs256");
      assertThat(one.token(Map.of("sub", "ada"))).isEqualTo(two.token(Map.of("sub", "ada")));
    }
  }

  @Test
  void signatures_verify_with_the_key_set() throws Exception {
    try (var issuer = Issuer.random()) {
      var token = issuer.token(Map.of("sub", "ada"));
      var jwk = JsonMapper.shared().readTree(issuer.jwks()).at("/keys/0");
      var modulus =
          new java.math.BigInteger(1, Base64.getUrlDecoder().decode(jwk.at("/n").asString()));
      var exponent =
          new java.math.BigInteger(1, Base64.getUrlDecoder().decode(jwk.at("/e").asString()));
      var key = java.security.KeyFactory.getInstance("RSA")
          .generatePublic(new java.security.spec.RSAPublicKeySpec(modulus, exponent));
      var verifier = java.security.Signature.getInstance("SHA256withRSA");
      verifier.initVerify(key);
      var parts = token.split("\\.");
      verifier.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));

      assertThat(verifier.verify(Base64.getUrlDecoder().decode(parts[2]))).isTrue();
    }
  }

  private static String part(String token, int index) {
    return new String(
        Base64.getUrlDecoder().decode(Arrays.asList(token.split("\\.")).get(index)),
        StandardCharsets.UTF_8);
  }

  private static String get(String uri) throws Exception {
    try (var http = HttpClient.newHttpClient()) {
      return http.send(
              HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString())
          .body();
    }
  }
}
