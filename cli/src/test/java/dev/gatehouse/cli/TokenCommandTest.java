package dev.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class TokenCommandTest {
  @TempDir
  Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void a_token_for_the_demo_is_alone_on_the_output() {
    assertThat(run("--sub", "ada", "--scope", "orders:read")).isZero();

    assertThat(out.toString()).matches("[\\w-]+\\.[\\w-]+\\.[\\w-]+\\R");
    assertThat(err.toString()).isEmpty();
    assertThat(part(0))
        .hasToString("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"gatehouse-demo-only-rs256\"}");
    assertThat(part(1).get("iss").asString()).isEqualTo("https://issuer.shop.example");
    assertThat(part(1).get("aud").asString()).isEqualTo("shop");
    assertThat(part(1).get("sub").asString()).isEqualTo("ada");
    assertThat(part(1).get("scope").asString()).isEqualTo("orders:read");
  }

  @Test
  void it_is_good_for_an_hour_or_as_long_as_it_is_said() {
    run();
    var hour = part(1);
    out.getBuffer().setLength(0);
    run("--expires", "12h");

    assertThat(hour.get("exp").asLong() - hour.get("iat").asLong()).isEqualTo(3_600);
    assertThat(hour.get("iat").asLong())
        .isBetween(Instant.now().getEpochSecond() - 60, Instant.now().getEpochSecond());
    assertThat(part(1).get("exp").asLong() - part(1).get("iat").asLong()).isEqualTo(12 * 3_600);
  }

  @Test
  void claims_and_header_members_are_json_where_they_can_be() {
    run(
        "--claim", "tenant=acme",
        "--claim", "roles=[\"a\",\"b\"]",
        "--claim", "level=5",
        "--claim", "text=\"5\"",
        "--claim", "half={\"a\":",
        "--claim", "two=1 2",
        "--claim", "empty=",
        "--claim", "exp=null",
        "--header", "typ=at+jwt",
        "--header", "kid=null");

    assertThat(part(0)).hasToString("{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}");
    assertThat(part(1).get("tenant").asString()).isEqualTo("acme");
    assertThat(part(1).get("roles")).hasToString("[\"a\",\"b\"]");
    assertThat(part(1).get("level").isInt()).isTrue();
    assertThat(part(1).get("text")).hasToString("\"5\"");
    assertThat(part(1).get("half").asString()).isEqualTo("{\"a\":");
    assertThat(part(1).get("two").asString()).isEqualTo("1 2");
    assertThat(part(1).get("empty").asString()).isEmpty();
    assertThat(part(1).has("exp")).isFalse();
  }

  @Test
  void a_key_of_ones_own_brings_no_issuer_of_the_demo() throws Exception {
    var key = key("EC");
    run("--key", key, "--kid", "k1", "--issuer", "https://idp.example", "--audience", "a,b");

    assertThat(part(0)).hasToString("{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"k1\"}");
    assertThat(part(1).get("iss").asString()).isEqualTo("https://idp.example");
    assertThat(part(1).get("aud")).hasToString("[\"a\",\"b\"]");
    out.getBuffer().setLength(0);
    run("--key", key);
    assertThat(part(1).has("iss") || part(1).has("aud")).isFalse();
  }

  @Test
  void jwks_is_the_public_half_and_nothing_of_the_secret() throws Exception {
    assertThat(run("--key", key("EC"), "--jwks")).isZero();

    var jwk = JsonMapper.shared().readTree(out.toString()).at("/keys/0");
    assertThat(jwk.propertyNames()).containsExactly("kty", "crv", "x", "y", "kid", "alg", "use");
  }

  @Test
  void a_person_is_shown_what_is_in_it() {
    Gatehouse.run(
        new Terminal(
            new PrintWriter(out, true), new PrintWriter(err, true), Map.of("NO_COLOR", "1"), true),
        "token",
        "--sub",
        "ada");

    assertThat(out.toString().lines()).hasSize(1);
    assertThat(err.toString()).contains("\"alg\" : \"RS256\"").contains("\"sub\" : \"ada\"");
  }

  @Test
  void what_is_wrong_with_a_key_is_said_with_its_file() throws IOException {
    assertThat(run("--key", "/nowhere.pem")).isOne();
    assertThat(err.toString()).contains("--key /nowhere.pem cannot be read");
    var empty = Files.writeString(folder.resolve("empty.pem"), "");
    assertThat(run("--key", empty.toString())).isOne();
    assertThat(err.toString()).contains("empty.pem: no private key");
    assertThat(run("--kid", "k")).isOne();
    assertThat(err.toString()).contains("--kid and --algorithm go with --key");
  }

  private String key(String algorithm) throws Exception {
    var generator = KeyPairGenerator.getInstance(algorithm);
    generator.initialize(256);
    var pem = "-----BEGIN PRIVATE KEY-----\n"
        + Base64.getMimeEncoder()
            .encodeToString(generator.generateKeyPair().getPrivate().getEncoded())
        + "\n-----END PRIVATE KEY-----\n";
    return Files.writeString(folder.resolve(algorithm + ".pem"), pem).toString();
  }

  private int run(String... options) {
    var args = new String[options.length + 1];
    args[0] = "token";
    System.arraycopy(options, 0, args, 1, options.length);
    return Gatehouse.run(
        new Terminal(new PrintWriter(out, true), new PrintWriter(err, true), Map.of(), false),
        args);
  }

  private JsonNode part(int index) {
    var json = Base64.getUrlDecoder().decode(out.toString().strip().split("\\.")[index]);
    return JsonMapper.shared().readTree(new String(json, StandardCharsets.UTF_8));
  }
}
