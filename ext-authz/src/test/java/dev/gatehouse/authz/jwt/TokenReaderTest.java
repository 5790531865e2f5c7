package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenReaderTest {
  @Test
  void a_good_token_is_read() throws BadToken {
    var token = read(Issuer.token("nbf", 1_700_000_000, "iat", 1_700_000_000.5));
    assertThat(token.jws().algorithm()).isEqualTo(Algorithm.RS256);
    assertThat(token.jws().kid()).isEqualTo("one");
    assertThat(token.jws().type()).isEqualTo("jwt");
    assertThat(token.issuer()).isEqualTo(Issuer.NAME);
    assertThat(token.audiences()).containsExactly("orders");
    assertThat(token.expires()).isEqualTo(Issuer.NOW.plusSeconds(3600).toEpochMilli());
    assertThat(token.notBefore()).isEqualTo(1_700_000_000_000L);
    assertThat(token.issuedAt()).isEqualTo(1_700_000_000_500L);
    assertThat(token.toString()).doesNotContain("ey");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        "a.b",
        "e30.e30.",
        ".e30.e30",
        "e30..e30",
        "e30.e30.e30.e30",
        "e30.e30.e30.e30.e30",
        " e30.e30.e30",
        "e30.e30.e30\n"
      })
  void a_token_has_three_parts_of_base64url(String token) {
    refused(token);
  }

  @Test
  void base64url_is_canonical_in_every_part() {
    var good = Issuer.token();
    var parts = good.split("\\.");
    for (var tail : List.of("=", "?", "==", "+", "/", " ", "\r\n", "%3D")) {
      refused(good + tail);
      refused(parts[0] + tail + "." + parts[1] + "." + parts[2]);
      refused(parts[0] + "." + parts[1] + tail + "." + parts[2]);
    }
    // A 2048-bit signature is 256 bytes: 342 characters, the last of which carries four bits that
    // encode nothing.
    int last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        .indexOf(good.charAt(good.length() - 1));
    assertThat(last & 0b1111).isZero();
    refused(good.substring(0, good.length() - 1)
        + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".charAt(last + 1));
    refused(good + "AAA"); // 345 characters are no number of bytes
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "null",
        "\"alg\"",
        "{\"alg\":null}",
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"HS512\"}",
        "{\"alg\":\"rs256\"}",
        "{\"alg\":\"RS1\"}",
        "{\"alg\":\"ES256K\"}",
        "{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\"}",
        "{\"alg\":[\"RS256\"]}",
        "{\"alg\":\"RS256\",\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"\\u0061lg\":\"none\"}",
        "{\"alg\":\"RS256\",\"crit\":[]}",
        "{\"alg\":\"RS256\",\"crit\":null}",
        "{\"alg\":\"RS256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":\"RS256\",\"x\":{\"y\":[{\"z\":1,\"z\":2}]}}",
        "{\"alg\":\"RS256\",\"b64\":false}",
        "{\"alg\":\"RS256\",\"b64\":true}",
        "{\"alg\":\"RS256\",\"zip\":\"DEF\"}",
        "{\"alg\":\"RS256\",\"enc\":\"A128GCM\"}",
        "{\"alg\":\"RS256\",\"cty\":\"JWT\"}",
        "{\"alg\":\"RS256\",\"kid\":1}",
        "{\"alg\":\"RS256\",\"kid\":null}",
        "{\"alg\":\"RS256\",\"typ\":{}}",
        "{\"alg\":\"RS256\"} ,",
        "{\"alg\":\"RS256\"}{}",
        "{\"alg\":\"RS256\",}",
        "{'alg':'RS256'}",
        "{\"alg\":\"RS256\" /* */}"
      })
  void a_header_that_is_refused(String header) {
    refused(Issuer.signed(header, StrictJson.write(Issuer.claims())));
  }

  @Test
  void a_kid_is_no_longer_than_256_characters() throws BadToken {
    read(Issuer.signed(kid(256), StrictJson.write(Issuer.claims())));
    refused(Issuer.signed(kid(257), StrictJson.write(Issuer.claims())));
  }

  @Test
  void keys_that_a_token_brings_along_are_not_looked_at() throws BadToken {
    var header =
        "{\"alg\":\"RS256\",\"jku\":\"http://evil.example/\",\"x5u\":7,\"jwk\":{},\"x5c\":[\"x\"]}";
    assertThat(
            read(Issuer.signed(header, StrictJson.write(Issuer.claims()))).jws().kid())
        .isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "7",
        "{\"exp\":null}",
        "{\"exp\":\"1767229200\"}",
        "{\"exp\":\"2026-01-01T01:00:00Z\"}",
        "{\"exp\":true}",
        "{\"exp\":-1}",
        "{\"exp\":1e300}",
        "{\"exp\":NaN}",
        "{\"exp\":1767229200000}",
        "{\"exp\":1767229200,\"exp\":1767229200}",
        "{\"exp\":1767229200,\"a\":{\"b\":1,\"b\":2}}",
        "{\"exp\":1767229200,\"nbf\":\"0\"}",
        "{\"exp\":1767229200,\"nbf\":null}",
        "{\"exp\":1767229200,\"iat\":\"0\"}",
        "{\"exp\":1767229200,\"iat\":[]}",
        "{\"exp\":1767229200,\"iat\":1767229201}",
        "{\"exp\":1767229200,\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}}",
        "{\"exp\":1767229200,\"iss\":1}",
        "{\"exp\":1767229200,\"iss\":null}",
        "{\"exp\":1767229200,\"sub\":{}}",
        "{\"exp\":1767229200,\"sub\":null}",
        "{\"exp\":1767229200,\"jti\":1}",
        "{\"exp\":1767229200,\"aud\":1}",
        "{\"exp\":1767229200,\"aud\":null}",
        "{\"exp\":1767229200,\"aud\":[\"a\",1]}",
        "{\"exp\":1767229200,\"aud\":{\"a\":1}}"
      })
  void claims_that_are_refused(String claims) {
    refused(Issuer.signed(Issuer.header(), claims));
  }

  @ParameterizedTest
  @CsvSource({"16, false", "17, true", "5000, true"})
  void json_is_no_deeper_than_16(int depth, boolean refused) throws BadToken {
    var claims = "{\"exp\":1767229200,\"a\":" + "[".repeat(depth - 1) + "]".repeat(depth - 1) + "}";
    var token = Issuer.signed(Issuer.header(), claims);
    if (refused) {
      refused(token);
    } else {
      read(token);
    }
  }

  @Test
  void json_is_utf8_and_nothing_else() {
    var signature = Issuer.base64("signature");
    var header = Issuer.base64(Issuer.header());
    var claims = "{\"exp\":1767229200,\"sub\":\"\u00e9\"}";
    for (var charset :
        List.of(StandardCharsets.ISO_8859_1, StandardCharsets.UTF_16LE, StandardCharsets.UTF_16)) {
      refused(header + "." + Issuer.base64(claims.getBytes(charset)) + "." + signature);
    }
    var bom = ("\uFEFF" + claims).getBytes(StandardCharsets.UTF_8);
    refused(header + "." + Issuer.base64(bom) + "." + signature);
  }

  @Test
  void types_are_compared_without_case_and_without_application() throws BadToken {
    var claims = StrictJson.write(Issuer.claims());
    assertThat(read(Issuer.signed("{\"alg\":\"RS256\",\"typ\":\"application/AT+jwt\"}", claims))
            .jws()
            .type())
        .isEqualTo("at+jwt");
    assertThat(read(Issuer.signed("{\"alg\":\"RS256\"}", claims)).jws().type()).isNull();
  }

  private static String kid(int length) {
    return "{\"alg\":\"RS256\",\"kid\":\"" + "k".repeat(length) + "\"}";
  }

  private static UnverifiedToken read(String token) throws BadToken {
    return TokenReader.read(token.getBytes(StandardCharsets.UTF_8));
  }

  private static void refused(String token) {
    assertThatExceptionOfType(BadToken.class).as(token).isThrownBy(() -> read(token));
  }
}
