package dev.gatehouse.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class SigningKeyTest {
  private static final KeyPair RSA = rsa();

  @ParameterizedTest
  @CsvSource({
    "RS256, SHA256withRSA",
    "RS512, SHA512withRSA",
    "ES256, SHA256withECDSAinP1363Format",
    "ES384, SHA384withECDSAinP1363Format",
    "ES512, SHA512withECDSAinP1363Format",
    "EdDSA, Ed25519"
  })
  void a_token_verifies_with_the_public_half(String algorithm, String java) throws Exception {
    var pair = pair(algorithm);
    var key = SigningKey.of(pem("PRIVATE KEY", pair.getPrivate().getEncoded()), null, algorithm);

    var token = key.token(key.header(Map.of()), Map.of("sub", "ada"));

    var verifier = Signature.getInstance(java);
    verifier.initVerify(pair.getPublic());
    verifier.update(token.substring(0, token.lastIndexOf('.')).getBytes(StandardCharsets.US_ASCII));
    assertThat(verifier.verify(Base64.getUrlDecoder().decode(token.split("\\.")[2])))
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ES256", "ES384", "ES512"})
  void the_public_point_is_found_from_the_secret(String algorithm) throws Exception {
    var pair = pair(algorithm);
    var jwk = jwk(SigningKey.of(pem("PRIVATE KEY", pair.getPrivate().getEncoded()), null, null));

    var point = ((ECPublicKey) pair.getPublic()).getW();
    assertThat(number(jwk, "x")).isEqualTo(point.getAffineX());
    assertThat(number(jwk, "y")).isEqualTo(point.getAffineY());
    assertThat(jwk.get("alg").asString()).isEqualTo(algorithm);
  }

  @Test
  void an_edwards_point_is_written_little_endian_with_the_sign_of_x() throws Exception {
    for (int i = 0; i < 8; i++) { // half of the keys have an odd x
      var pair = pair("EdDSA");
      var jwk = jwk(SigningKey.of(pem("PRIVATE KEY", pair.getPrivate().getEncoded()), null, null));

      // The last 32 bytes of a SubjectPublicKeyInfo are the point as RFC 8032 writes it.
      var spki = ((EdECPublicKey) pair.getPublic()).getEncoded();
      assertThat(Base64.getUrlDecoder().decode(jwk.get("x").asString()))
          .isEqualTo(Arrays.copyOfRange(spki, spki.length - 32, spki.length));
    }
  }

  @Test
  void the_older_forms_of_pem_are_the_same_keys() throws Exception {
    for (var algorithm : new String[] {"RS256", "ES256", "ES384"}) {
      var pkcs8 = pair(algorithm).getPrivate().getEncoded();
      var label = algorithm.startsWith("RS") ? "RSA PRIVATE KEY" : "EC PRIVATE KEY";
      var bare = bare(pkcs8, algorithm);

      assertThat(SigningKey.of(pem(label, bare), null, null).jwks())
          .isEqualTo(SigningKey.of(pem("PRIVATE KEY", pkcs8), null, null).jwks());
    }
  }

  /** The key of RFC 8037 appendix A.1, whose thumbprint appendix A.3 says. */
  @Test
  void a_keys_own_name_is_its_thumbprint() {
    var secret = Base64.getUrlDecoder().decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    var pkcs8 = HexFormat.of()
        .parseHex("302e020100300506032b657004220420" + HexFormat.of().formatHex(secret));

    var jwk = jwk(SigningKey.of(pem("PRIVATE KEY", pkcs8), null, null));

    assertThat(jwk.get("x").asString()).isEqualTo("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assertThat(jwk.get("kid").asString()).isEqualTo("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assertThat(jwk(SigningKey.of(SigningKey.demoPem(), "mine", null)).get("kid").asString())
        .isEqualTo("mine");
  }

  @Test
  void the_demos_key_is_the_one_that_its_policies_hold() {
    try (var issuer = Issuer.demo()) {
      assertThat(JsonMapper.shared().readTree(SigningKey.demo().jwks()))
          .isEqualTo(JsonMapper.shared().readTree(issuer.rsaJwks()));
    }
  }

  @Test
  void what_cannot_sign_is_explained() {
    assertThatThrownBy(() -> SigningKey.of("nothing", null, null))
        .hasMessageContaining("no private key (expected: PRIVATE KEY");
    assertThatThrownBy(() -> SigningKey.of(pem("ENCRYPTED PRIVATE KEY", new byte[9]), null, null))
        .hasMessageContaining("openssl pkey -in KEY -out PLAIN");
    assertThatThrownBy(() -> SigningKey.of(pem("EC PRIVATE KEY", new byte[] {0x30, 9}), null, null))
        .hasMessageContaining("cut off");
    assertThatThrownBy(() -> SigningKey.of(pem("PRIVATE KEY", new byte[9]), null, null))
        .hasMessageContaining("not understood");
    assertThatThrownBy(() -> SigningKey.of(SigningKey.demoPem(), null, "HS256"))
        .hasMessageContaining("HS256 (expected with this key: RS256");
  }

  private static KeyPair pair(String algorithm) throws Exception {
    if (algorithm.startsWith("RS")) {
      return RSA;
    }
    var generator = KeyPairGenerator.getInstance(algorithm.startsWith("ES") ? "EC" : "Ed25519");
    switch (algorithm) {
      case "ES256" -> generator.initialize(new ECGenParameterSpec("secp256r1"));
      case "ES384" -> generator.initialize(new ECGenParameterSpec("secp384r1"));
      case "ES512" -> generator.initialize(new ECGenParameterSpec("secp521r1"));
      default -> {}
    }
    return generator.generateKeyPair();
  }

  private static KeyPair rsa() {
    try {
      var generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** What is inside a PKCS#8's octet string; of EC with the curve put in, as openssl does. */
  private static byte[] bare(byte[] pkcs8, String algorithm) {
    var hex = HexFormat.of().formatHex(pkcs8);
    if (algorithm.startsWith("RS")) {
      return Arrays.copyOfRange(pkcs8, 26, pkcs8.length);
    }
    var oid = algorithm.equals("ES256") ? "06082a8648ce3d030107" : "06052b81040022";
    int bytes = algorithm.equals("ES256") ? 32 : 48;
    int secret = hex.indexOf("04%02x".formatted(bytes), hex.indexOf(oid) + oid.length()) + 4;
    var inside = "0201" + "01" + "04%02x".formatted(bytes)
        + hex.substring(secret, secret + 2 * bytes) + "a0%02x".formatted(oid.length() / 2) + oid;
    return HexFormat.of().parseHex("30%02x".formatted(inside.length() / 2) + inside);
  }

  private static String pem(String label, byte[] der) {
    return "-----BEGIN " + label + "-----\n" + Base64.getMimeEncoder().encodeToString(der)
        + "\n-----END " + label + "-----\n";
  }

  private static JsonNode jwk(SigningKey key) {
    return JsonMapper.shared().readTree(key.jwks()).at("/keys/0");
  }

  private static BigInteger number(JsonNode jwk, String name) {
    return new BigInteger(1, Base64.getUrlDecoder().decode(jwk.get(name).asString()));
  }
}
