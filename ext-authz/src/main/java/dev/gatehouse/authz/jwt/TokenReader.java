package dev.gatehouse.authz.jwt;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a compact JWS strictly, before jjwt sees it: the checks that jjwt 0.13 does not make (docs/security.md). What passes has
 * one meaning to every reader of JSON and base64url. The caller bounds the length.
 *
 * <p>{@code jku}, {@code x5u}, {@code jwk} and {@code x5c} are not looked at: no key ever comes from a token (RFC 8725 §3.10).
 */
public final class TokenReader {
  private static final int MAX_KID = 256;

  /** 9999-12-31T23:59:59Z: more is a mistake (such as milliseconds) or an attempt at overflow. */
  private static final double LAST_SECOND = 253_402_300_799d;

  private TokenReader() {}

  /** @throws BadToken saying what is wrong, without quoting the token */
  public static UnverifiedToken read(byte[] token) throws BadToken {
    // RFC 7515 §7.1: BASE64URL(header) '.' BASE64URL(payload) '.' BASE64URL(signature). Five parts
    // would be a JWE (RFC 7516 §3.1).
    int first = dot(token, 0);
    int second = dot(token, first + 1);
    require(first > 0 && second > first + 1, "not three parts");
    require(dot(token, second + 1) == -1, "more than three parts");
    require(
        second + 1 < token.length,
        "no signature"); // RFC 8725 §3.2: an unsecured JWS has an empty one
    requireBase64Url(token, 0, first, "header");
    requireBase64Url(token, first + 1, second, "claims");
    requireBase64Url(token, second + 1, token.length, "signature");

    // RFC 7515 §4, RFC 7519 §4: a JSON object in UTF-8 (RFC 8725 §3.7); duplicate names are
    // refused, as both sections allow.
    var header = object(token, 0, first, "header");
    var claims = object(token, first + 1, second, "claims");
    return checked(token, header, claims);
  }

  private static UnverifiedToken checked(
      byte[] token, Map<String, @Nullable Object> header, Map<String, @Nullable Object> claims)
      throws BadToken {
    refuse(
        header,
        "crit"); // RFC 7515 §4.1.11: we understand no extension, so any is refused; so is an empty
    // list
    refuse(header, "b64"); // RFC 7797 §6: without crit it must not be there
    refuse(
        header,
        "zip"); // RFC 7516 §4.1.3 defines it for JWE only; a decompression bomb (RFC 8725 §3.6)
    refuse(header, "enc"); // RFC 7516 §4.1.2: a JWE
    refuse(header, "cty"); // RFC 7519 §5.2: a nested JWT, which nobody asked for
    var alg = string(header, "alg"); // RFC 7515 §4.1.1: required
    var algorithm = alg == null ? null : Algorithm.named(alg); // RFC 8725 §3.1: an allow-list
    if (algorithm == null) {
      throw new BadToken("alg is missing or not one of the public-key algorithms");
    }
    var kid = string(
        header,
        "kid"); // RFC 7515 §4.1.4: a string; here a look-up key and nothing else (RFC 8725 §3.10)
    require(kid == null || kid.length() <= MAX_KID, "kid is longer than " + MAX_KID);

    double exp = date(claims, "exp"); // RFC 7519 §4.1.4; optional there, required here
    require(!Double.isNaN(exp), "exp is missing");
    double nbf = date(claims, "nbf"); // RFC 7519 §4.1.5
    double iat = date(claims, "iat"); // RFC 7519 §4.1.6
    var issuer = string(claims, "iss"); // RFC 7519 §4.1.1: StringOrURI
    string(claims, "sub"); // RFC 7519 §4.1.2
    string(claims, "jti"); // RFC 7519 §4.1.7
    return new UnverifiedToken(
        new String(token, StandardCharsets.US_ASCII),
        algorithm,
        kid,
        type(header),
        issuer,
        audiences(claims),
        millis(exp),
        millis(nbf),
        millis(iat),
        claims);
  }

  /** RFC 7515 §4.1.9: a media type, compared without case, whose {@code application/} may be left out. */
  private static @Nullable String type(Map<String, @Nullable Object> header) throws BadToken {
    var typ = string(header, "typ");
    if (typ == null) {
      return null;
    }
    var type = typ.toLowerCase(Locale.ROOT);
    return type.startsWith("application/") ? type.substring("application/".length()) : type;
  }

  /** RFC 7519 §4.1.3: one string or an array of strings. */
  private static List<String> audiences(Map<String, @Nullable Object> claims) throws BadToken {
    if (!claims.containsKey("aud")) {
      return List.of();
    }
    var aud = claims.get("aud");
    if (aud instanceof String one) {
      return List.of(one);
    }
    if (!(aud instanceof List<?> list)) {
      throw new BadToken("aud is neither a string nor an array of strings");
    }
    var all = new ArrayList<String>();
    for (var each : list) {
      if (!(each instanceof String audience)) {
        throw new BadToken("aud holds something that is no string");
      }
      all.add(audience);
    }
    return List.copyOf(all);
  }

  /** RFC 7519 §2, NumericDate: a JSON number of seconds; NaN where it is absent. Strings and ISO dates, which jjwt takes, are none. */
  private static double date(Map<String, @Nullable Object> claims, String name) throws BadToken {
    if (!claims.containsKey(name)) {
      return Double.NaN;
    }
    if (!(claims.get(name) instanceof Number number)) {
      throw new BadToken(name + " is no number");
    }
    double seconds = number.doubleValue();
    require(seconds >= 0 && seconds <= LAST_SECOND, name + " is no time between 1970 and 9999");
    return seconds;
  }

  private static long millis(double seconds) {
    return Double.isNaN(seconds) ? Long.MIN_VALUE : (long) (seconds * 1000);
  }

  private static @Nullable String string(Map<String, @Nullable Object> object, String name)
      throws BadToken {
    var value = object.get(name);
    require(
        value instanceof String || (value == null && !object.containsKey(name)),
        name + " is no string");
    return (String) value;
  }

  private static void refuse(Map<String, @Nullable Object> header, String name) throws BadToken {
    require(!header.containsKey(name), "the header has " + name);
  }

  private static Map<String, @Nullable Object> object(byte[] token, int from, int to, String part)
      throws BadToken {
    var bytes = Base64.getUrlDecoder().decode(Arrays.copyOfRange(token, from, to));
    var object = StrictJson.object(bytes);
    if (object == null) {
      throw new BadToken("the " + part + " is no JSON object in UTF-8 without duplicate names");
    }
    return object;
  }

  /**
   * RFC 7515 §2: base64url without padding, line breaks, white space or other characters; RFC 4648 §3.5: the bits that encode
   * nothing are zero, so that there is one encoding of each value.
   */
  private static void requireBase64Url(byte[] token, int from, int to, String part)
      throws BadToken {
    for (int i = from; i < to; i++) {
      require(sextet(token[i]) >= 0, "a character of the " + part + " is not base64url");
    }
    int last = sextet(token[to - 1]);
    boolean canonical = switch ((to - from) % 4) {
      case 0 -> true;
      case 2 -> (last & 0b1111) == 0;
      case 3 -> (last & 0b11) == 0;
      default -> false;
    };
    require(canonical, "the base64url of the " + part + " is not canonical");
  }

  private static int sextet(byte c) {
    if (c >= 'A' && c <= 'Z') {
      return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
      return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
      return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
  }

  private static int dot(byte[] token, int from) {
    for (int i = from; i < token.length; i++) {
      if (token[i] == '.') {
        return i;
      }
    }
    return -1;
  }

  private static void require(boolean holds, String otherwise) throws BadToken {
    if (!holds) {
      throw new BadToken(otherwise);
    }
  }
}
