package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.Jwks;
import io.jsonwebtoken.security.SignatureAlgorithm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.Security;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CryptoTest {
  /** Those that there is a build for. */
  private static final boolean LINUX = (System.getProperty("os.name") + "-"
          + System.getProperty("os.arch"))
      .toLowerCase(Locale.ROOT)
      .matches("linux-(amd64|aarch64)");

  @Test
  void the_fast_provider_works_where_there_is_one_and_the_jdks_elsewhere() {
    assertThat(Crypto.best().fast()).as(Crypto.best().name()).isEqualTo(LINUX);
    assertThat(Crypto.best().name())
        .matches(LINUX ? "AmazonCorrettoCryptoProvider \\S+" : "JDK \\(.* is not for .*");
  }

  @Test
  void the_jvms_own_list_of_providers_is_left_alone() {
    var _ = Crypto.best();
    assertThat(Security.getProviders()).noneMatch(p -> p.getName().startsWith("Amazon"));
  }

  static List<SignatureAlgorithm> algorithms() {
    return Issuer.algorithms();
  }

  @ParameterizedTest
  @MethodSource("algorithms")
  void both_take_what_is_signed_and_refuse_what_is_not(SignatureAlgorithm algorithm)
      throws Exception {
    bothCheck(Issuer.token(algorithm), Issuer.pair(algorithm), algorithm.getId());
  }

  @Test
  void both_know_both_edwards_curves() throws Exception {
    for (var curve : List.of(Jwks.CRV.Ed25519, Jwks.CRV.Ed448)) {
      var pair = curve.keyPair().build();
      var token = Jwts.builder()
          .claims(Issuer.claims())
          .signWith(pair.getPrivate(), Jwts.SIG.EdDSA)
          .compact();
      bothCheck(token, pair, curve.getId());
    }
  }

  private static void bothCheck(String token, KeyPair pair, String kid) throws Exception {
    var set = Issuer.set(List.of(Issuer.jwk(pair, kid)));
    int payload = token.indexOf('.') + 5;
    var touched = token.substring(0, payload)
        + (token.charAt(payload) == 'A' ? 'B' : 'A')
        + token.substring(payload + 1);
    for (var crypto : List.of(Crypto.best(), Crypto.jdk())) {
      var keys = KeySet.parse(set, crypto);
      assertThat(Signatures.check(bytes(token), keys).kid()).isEqualTo(kid);
      assertThatExceptionOfType(BadToken.class)
          .as(crypto.name())
          .isThrownBy(() -> Signatures.check(bytes(touched), keys));
    }
  }

  @Test
  void what_takes_long_leaves_the_event_loop() throws Exception {
    slow(Jwks.CRV.P256.keyPair().build(), !LINUX);
    slow(Jwks.CRV.Ed25519.keyPair().build(), !LINUX);
    slow(Jwks.CRV.P384.keyPair().build(), true);
    slow(Jwks.CRV.P521.keyPair().build(), true);
    slow(Jwks.CRV.Ed448.keyPair().build(), true);
    slow(Issuer.rsa("one"), false);
    var jdk = KeySet.parse(
        Issuer.set(List.of(Issuer.jwk(Jwks.CRV.P256.keyPair().build(), "k"))), Crypto.jdk());
    assertThat(Verifier.slow(jdk.candidates(jws("{\"alg\":\"ES256\",\"kid\":\"k\"}"))))
        .isTrue();
  }

  private static void slow(KeyPair pair, boolean slow) throws Exception {
    var jwk = Issuer.jwk(pair, "k");
    var algorithm = Algorithm.ALL.stream()
        .filter(each -> each.fits(
            String.valueOf(jwk.get("kty")), jwk.get("crv") instanceof String crv ? crv : null))
        .findAny()
        .orElseThrow();
    var header = StrictJson.write(Map.of("alg", algorithm.jjwt().getId(), "kid", "k"));
    var candidates = KeySet.parse(Issuer.set(List.of(jwk))).candidates(jws(header));
    assertThat(Verifier.slow(candidates)).as(jwk.toString()).isEqualTo(slow);
  }

  private static CompactJws jws(String header) throws BadToken {
    return TokenReader.jws(bytes(Issuer.signed(header, "{}")));
  }

  @Test
  void without_a_folder_to_unpack_it_the_jdks_serves_and_says_why(@TempDir Path folder)
      throws Exception {
    var noFolder = Files.writeString(folder.resolve("file"), "no folder can be made in here");
    var output = anotherJvm("-Djava.io.tmpdir=" + noFolder.resolve("tmp"));
    assertThat(output)
        .contains("provider: JDK (the Amazon Corretto Crypto Provider ")
        .contains("ES256: taken")
        .contains("ES256 touched: refused");
  }

  @Test
  void on_a_machine_that_it_is_not_for_the_jdks_serves_and_says_why() throws Exception {
    assertThat(anotherJvm("-Dos.arch=s390x"))
        .contains("is not for ")
        .contains("ES256: taken")
        .contains("ES256 touched: refused");
  }

  private static String anotherJvm(String option) throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        option,
        "-cp",
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
        AnotherJvm.class.getName()));
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as(output).isZero();
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  /** Says who computes there, and whether it does. */
  static final class AnotherJvm {
    public static void main(String[] arguments) throws Exception {
      System.out.println("provider: " + Crypto.best().name());
      var keys =
          KeySet.parse(Issuer.set(List.of(Issuer.jwk(Issuer.pair(Jwts.SIG.ES256), "ES256"))));
      var token = Issuer.token(Jwts.SIG.ES256);
      var touched = Issuer.token(Jwts.SIG.ES256, "sub", "mallory");
      touched =
          touched.substring(0, touched.lastIndexOf('.')) + token.substring(token.lastIndexOf('.'));
      System.out.println("ES256: " + check(token, keys));
      System.out.println("ES256 touched: " + check(touched, keys));
    }

    private static String check(String token, KeySet keys) {
      try {
        var _ = Signatures.check(bytes(token), keys);
        return "taken";
      } catch (BadToken e) {
        return "refused";
      }
    }
  }

  private static byte[] bytes(String token) {
    return token.getBytes(StandardCharsets.US_ASCII);
  }
}
