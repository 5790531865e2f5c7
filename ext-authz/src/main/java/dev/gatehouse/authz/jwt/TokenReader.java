package dev.gatehouse.authz.jwt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a compact JWS strictly, before jjwt checks its signature: what jjwt 0.13 lets through, or would have read a second time
 * (docs/security.md). What passes has one meaning to every reader of JSON and base64url. The caller bounds the length.
 *
 * <p>{@code jku}, {@code x5u}, {@code jwk} and {@code x5c} are not looked at: no key ever comes from a token (RFC 8725 §3.10).
 */
public final class TokenReader {
  private static final byte[] SEXTETS = sextets();
  private static final int MAX_KID = 256;

  /** 9999-12-31T23:59:59Z: more is a mistake (such as milliseconds) or an attempt at overflow. */
  private static final double LAST_SECOND = 253_402_300_799d;

  private TokenReader() {}

  /** @throws BadToken saying what is wrong, without quoting the token */
  public static UnverifiedToken read(byte[] token) throws BadToken {
    var jws = jws(token);
    int first = dot(token, 0);
    // RFC 7519 §4: claims are a JSON object; of duplicate names none is taken.
    return claims(jws, object(token, first + 1, dot(token, first + 1), "claims"));
  }

  /**
   * Form and header alone, whatever the payload is.
   *
   * @throws BadToken saying what is wrong, without quoting the token
   */
  public static CompactJws jws(byte[] token) throws BadToken {
    // RFC 7515 §7.1: BASE64URL(header) '.' BASE64URL(payload) '.' BASE64URL(signature).
    int first = dot(token, 0);
    int second = dot(token, first + 1);
    // RFC 7519 §4: a payload is a JSON object, so it is never empty.
    require(first > 0 && second > first + 1, "not three parts");
    // RFC 7516 §3.1: five parts would be a JWE.
    require(dot(token, second + 1) == -1, "more than three parts");
    // RFC 8725 §3.2: an unsecured JWS has an empty signature.
    require(second + 1 < token.length, "no signature");
    requireBase64Url(token, 0, first, "header");
    requireBase64Url(token, first + 1, second, "claims");
    requireBase64Url(token, second + 1, token.length, "signature");

    // RFC 7515 §4: a JSON object in UTF-8 (RFC 8725 §3.7), of duplicate names none is taken.
    var header = object(token, 0, first, "header");
    // RFC 7515 §4.1.11: we understand no extension, so any is refused; so is an empty list.
    refuse(header, "crit");
    // RFC 7797 §6: without crit it must not be there.
    refuse(header, "b64");
    // RFC 7516 §4.1.3 defines it for JWE only; a decompression bomb (RFC 8725 §3.6).
    refuse(header, "zip");
    // RFC 7516 §4.1.2: a JWE.
    refuse(header, "enc");
    // RFC 7519 §5.2: a nested JWT, which nobody asked for.
    refuse(header, "cty");
    // RFC 7515 §4.1.1: required; RFC 8725 §3.1: an allow-list.
    var alg = string(header, "alg");
    var algorithm = alg == null ? null : Algorithm.named(alg);
    if (algorithm == null) {
      throw new BadToken("alg is missing or not one of the public-key algorithms");
    }
    // RFC 7515 §4.1.4: a string; here a look-up key and nothing else (RFC 8725 §3.10).
    var kid = string(header, "kid");
    require(kid == null || kid.length() <= MAX_KID, "kid is longer than " + MAX_KID);
    var typ = string(header, "typ");
    return new CompactJws(
        token,
        second,
        decoded(token, second + 1, token.length),
        algorithm,
        kid,
        typ == null ? null : type(typ));
  }

  private static UnverifiedToken claims(CompactJws jws, Map<String, @Nullable Object> claims)
      throws BadToken {
    // RFC 7519 §4.1.4: optional there, required here.
    double exp = date(claims, "exp");
    require(!Double.isNaN(exp), "exp is missing");
    // RFC 7519 §4.1.5, §4.1.6.
    double nbf = date(claims, "nbf");
    double iat = date(claims, "iat");
    // Whoever issues a token that has expired by then means something else by one of the two.
    require(Double.isNaN(iat) || iat <= exp, "iat is after exp");
    // RFC 7519 §4.1.1, §4.1.2, §4.1.7: strings.
    var issuer = string(claims, "iss");
    string(claims, "sub");
    string(claims, "jti");
    // RFC 8417 §2.2, §4: what has it is a security event, such as a logout token, and no access
    // token.
    require(!(claims.get("events") instanceof Map), "it is a security event token");
    return new UnverifiedToken(
        jws, issuer, audiences(claims), millis(exp), millis(nbf), millis(iat), claims);
  }

  /**
   * RFC 7515 §4.1.9: a media type, compared without case, whose {@code application/} may be left out.
   *
   * @return in lower case, without it
   */
  public static String type(String typ) {
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
    var object = StrictJson.object(decoded(token, from, to));
    if (object == null) {
      throw new BadToken("the " + part + " is no JSON object in UTF-8 without duplicate names");
    }
    return object;
  }

  private static byte[] decoded(byte[] token, int from, int to) {
    return Base64.getUrlDecoder().decode(Arrays.copyOfRange(token, from, to));
  }

  /**
   * RFC 7515 §2: base64url without padding, line breaks, white space or other characters; RFC 4648 §3.5: the bits that encode
   * nothing are zero, so that there is one encoding of each value.
   */
  private static void requireBase64Url(byte[] token, int from, int to, String part)
      throws BadToken {
    for (int i = from; i < to; i++) {
      if (sextet(token[i]) < 0) {
        throw new BadToken("a character of the " + part + " is not base64url");
      }
    }
    int last = sextet(token[to - 1]);
    boolean canonical = switch ((to - from) % 4) {
      case 0 -> true;
      case 2 -> (last & 0b1111) == 0;
      case 3 -> (last & 0b11) == 0;
      default -> false;
    };
    if (!canonical) {
      throw new BadToken("the base64url of the " + part + " is not canonical");
    }
  }

  private static int sextet(byte c) {
    return SEXTETS[c & 0xff];
  }

  /** RFC 4648 §5, table 2; -1 for any other octet. */
  private static byte[] sextets() {
    var sextets = new byte[256];
    Arrays.fill(sextets, (byte) -1);
    var alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int i = 0; i < alphabet.length(); i++) {
      sextets[alphabet.charAt(i)] = (byte) i;
    }
    return sextets;
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
