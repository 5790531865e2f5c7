package dev.gatehouse.authz.jwt;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.Jwks;
import io.jsonwebtoken.security.SignatureAlgorithm;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** An identity provider for tests: keys, their set, and tokens good and bad. Its time is the fake clock's first. */
public final class Issuer {
  public static final String NAME = "https://idp.example.com";
  public static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  private static final Map<String, KeyPair> PAIRS = new ConcurrentHashMap<>();

  private Issuer() {}

  /** The same pair for the same name, as making them takes long. */
  public static KeyPair rsa(String name) {
    return PAIRS.computeIfAbsent("rsa/" + name, n -> Jwts.SIG.RS256.keyPair().build());
  }

  public static KeyPair pair(SignatureAlgorithm algorithm) {
    return algorithm.getId().matches("[RP]S.*")
        ? rsa("one")
        : PAIRS.computeIfAbsent(algorithm.getId(), n -> algorithm.keyPair().build());
  }

  /** The public key as a JWK. */
  public static Map<String, Object> jwk(KeyPair pair, @Nullable String kid) {
    return jwk(pair, kid, Map.of());
  }

  public static Map<String, Object> jwk(KeyPair pair, @Nullable String kid, Map<String, ?> more) {
    var jwk = new LinkedHashMap<String, Object>();
    Jwks.builder().key(pair.getPublic()).build().forEach((name, value) -> {
      if (value instanceof String) {
        jwk.put(name, value);
      }
    });
    if (kid != null) {
      jwk.put("kid", kid);
    }
    jwk.putAll(more);
    return jwk;
  }

  public static String set(List<Map<String, Object>> jwks) {
    return StrictJson.write(Map.of("keys", jwks));
  }

  /** The set of one RSA key: {@code rsa("one")} as {@code kid} one. */
  public static String set() {
    return set(List.of(jwk(rsa("one"), "one")));
  }

  public static String header() {
    return "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"JWT\"}";
  }

  /** Good claims, and these. A null takes one away. */
  public static Map<String, Object> claims(@Nullable Object... more) {
    var claims = new LinkedHashMap<String, Object>();
    claims.put("iss", NAME);
    claims.put("sub", "alice");
    claims.put("aud", "orders");
    claims.put("exp", NOW.getEpochSecond() + 3600);
    for (int i = 0; i < more.length; i += 2) {
      var value = more[i + 1];
      if (value == null) {
        claims.remove(String.valueOf(more[i]));
      } else {
        claims.put(String.valueOf(more[i]), value);
      }
    }
    return claims;
  }

  /** A token of {@code rsa("one")} with good claims, and these. */
  public static String token(@Nullable Object... more) {
    return signed(header(), StrictJson.write(claims(more)));
  }

  /** Signed by {@code rsa("one")}, whatever the parts are. */
  public static String signed(String header, String claims) {
    return signed("SHA256withRSA", rsa("one").getPrivate(), header, claims);
  }

  public static String signed(String jca, PrivateKey key, String header, String claims) {
    var input = base64(header) + "." + base64(claims);
    try {
      var signature = Signature.getInstance(jca);
      signature.initSign(key);
      signature.update(input.getBytes(StandardCharsets.US_ASCII));
      return input + "." + base64(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** By jjwt, with the algorithm's own key, whose {@code kid} is the algorithm's name. */
  public static String token(SignatureAlgorithm algorithm, @Nullable Object... more) {
    return Jwts.builder()
        .header()
        .keyId(algorithm.getId())
        .and()
        .claims(claims(more))
        .signWith(pair(algorithm).getPrivate(), algorithm)
        .compact();
  }

  public static String base64(String text) {
    return base64(text.getBytes(StandardCharsets.UTF_8));
  }

  public static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** Every algorithm that a token may bear. */
  public static List<SignatureAlgorithm> algorithms() {
    return new ArrayList<>(List.of(
        Jwts.SIG.RS256,
        Jwts.SIG.RS384,
        Jwts.SIG.RS512,
        Jwts.SIG.PS256,
        Jwts.SIG.PS384,
        Jwts.SIG.PS512,
        Jwts.SIG.ES256,
        Jwts.SIG.ES384,
        Jwts.SIG.ES512,
        Jwts.SIG.EdDSA));
  }
}
