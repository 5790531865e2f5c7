package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import io.jsonwebtoken.gson.io.GsonDeserializer;
import io.jsonwebtoken.io.Deserializer;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What holds for any bytes that are shown as a token: they are refused as a {@link BadToken}, or they have one meaning. One
 * encoding, one header and one set of claims, whether Jackson reads them, as we do, or another such as gson, as an upstream may;
 * and the signature that is checked covers both of them as they were sent.
 */
final class TokenProperties {
  private static final int MAX_BYTES = 16 << 10;
  private static final Deserializer<Map<String, ?>> GSON = new GsonDeserializer<>();

  private TokenProperties() {}

  /**
   * @param input a token; or, if there is a line break in it, a header's JSON and a claims' JSON, one a line, of which one is made
   * @throws AssertionError saying what does not hold
   */
  static void hold(byte[] input) {
    int line = IntStream.range(0, input.length)
        .filter(i -> input[i] == '\n')
        .findFirst()
        .orElse(-1);
    var token = line < 0 ? input : signed(input, line);
    if (token.length > MAX_BYTES) {
      return;
    }
    UnverifiedToken read;
    try {
      read = TokenReader.read(token);
    } catch (BadToken e) {
      assertThat(e.getMessage()).isNotBlank().hasSizeLessThan(200);
      return;
    }
    var parts = new String(token, StandardCharsets.ISO_8859_1).split("\\.", -1);
    assertThat(parts).hasSize(3);
    for (var part : parts) {
      assertThat(encoded(decoded(part))).as("the same bytes, encoded again").isEqualTo(part);
    }
    var jws = read.jws();
    assertThat(jws.signature()).isEqualTo(decoded(parts[2]));
    assertThat(jws.signed())
        .hasBinaryContent((parts[0] + "." + parts[1]).getBytes(StandardCharsets.ISO_8859_1));
    sameHeader(jws, parts[0]);
    sameClaims(read, parts[1]);
  }

  private static void sameHeader(CompactJws jws, String part) {
    var header = GSON.deserialize(new StringReader(text(part)));
    assertThat(header.get("alg")).isEqualTo(jws.algorithm().jjwt().getId());
    assertThat(header.get("kid")).isEqualTo(jws.kid());
    assertThat(header).doesNotContainKeys("crit", "b64", "zip", "enc", "cty");
    if (jws.type() != null) {
      assertThat((String) header.get("typ")).containsIgnoringCase(jws.type());
    }
    assertThat(plain(StrictJson.object(decoded(part)))).isEqualTo(plain(header));
  }

  private static void sameClaims(UnverifiedToken read, String part) {
    var claims = GSON.deserialize(new StringReader(text(part)));
    assertThat(plain(read.claims())).isEqualTo(plain(claims));
    assertThat(claims.get("iss")).isEqualTo(read.issuer());
    assertThat(read.expires()).isEqualTo(millis(claims.get("exp")));
    assertThat(read.notBefore()).isEqualTo(millis(claims.get("nbf")));
    assertThat(read.issuedAt()).isEqualTo(millis(claims.get("iat")));
    var aud = claims.get("aud");
    assertThat(read.audiences())
        .isEqualTo(aud == null ? List.of() : aud instanceof List<?> list ? list : List.of(aud));
  }

  private static long millis(@Nullable Object seconds) {
    return seconds == null ? Long.MIN_VALUE : (long) (((Number) seconds).doubleValue() * 1000);
  }

  /** The same value whoever read it: numbers as doubles, members in order. */
  private static @Nullable Object plain(@Nullable Object value) {
    return switch (value) {
      case Number number -> number.doubleValue();
      case List<?> list ->
        list.stream().map(each -> String.valueOf(plain(each))).collect(Collectors.toList());
      case Map<?, ?> map -> {
        var sorted = new TreeMap<String, String>();
        map.forEach((name, each) -> sorted.put((String) name, String.valueOf(plain(each))));
        yield sorted;
      }
      case null, default -> value;
    };
  }

  private static byte[] signed(byte[] input, int line) {
    var header = encoded(Arrays.copyOf(input, line));
    var claims = encoded(Arrays.copyOfRange(input, line + 1, input.length));
    return (header + "." + claims + ".c2lnbmF0dXJl").getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String encoded(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static byte[] decoded(String part) {
    return Base64.getUrlDecoder().decode(part);
  }

  private static String text(String part) {
    return new String(decoded(part), StandardCharsets.UTF_8);
  }
}
