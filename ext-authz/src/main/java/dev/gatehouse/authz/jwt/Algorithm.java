package dev.gatehouse.authz.jwt;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SignatureAlgorithm;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The signature algorithms that a token may bear (RFC 7518 §3.1, RFC 8037 §3.1): public-key ones only. HS* and {@code none} have
 * no name here, so that no key set and no token can bring them in (RFC 8725 §3.1).
 *
 * <p>{@code slow} ones take hundreds of microseconds with the JDK's provider (docs/performance.md), too long for an event loop.
 */
public enum Algorithm {
  RS256(Jwts.SIG.RS256, "RSA", Set.of(), false),
  RS384(Jwts.SIG.RS384, "RSA", Set.of(), false),
  RS512(Jwts.SIG.RS512, "RSA", Set.of(), false),
  PS256(Jwts.SIG.PS256, "RSA", Set.of(), false),
  PS384(Jwts.SIG.PS384, "RSA", Set.of(), false),
  PS512(Jwts.SIG.PS512, "RSA", Set.of(), false),
  ES256(Jwts.SIG.ES256, "EC", Set.of("P-256"), true),
  ES384(Jwts.SIG.ES384, "EC", Set.of("P-384"), true),
  ES512(Jwts.SIG.ES512, "EC", Set.of("P-521"), true),
  EDDSA(Jwts.SIG.EdDSA, "OKP", Set.of("Ed25519", "Ed448"), true);

  public static final Set<Algorithm> ALL = Set.of(values());

  private final SignatureAlgorithm jjwt;
  private final String kty;
  private final Set<String> curves;
  private final boolean slow;

  Algorithm(SignatureAlgorithm jjwt, String kty, Set<String> curves, boolean slow) {
    this.jjwt = jjwt;
    this.kty = kty;
    this.curves = curves;
    this.slow = slow;
  }

  /** By its JOSE name, which is case-sensitive (RFC 7515 §4.1.1); null if it is not one of these. */
  static @Nullable Algorithm named(String jose) {
    return switch (jose) {
      case "RS256" -> RS256;
      case "RS384" -> RS384;
      case "RS512" -> RS512;
      case "PS256" -> PS256;
      case "PS384" -> PS384;
      case "PS512" -> PS512;
      case "ES256" -> ES256;
      case "ES384" -> ES384;
      case "ES512" -> ES512;
      case "EdDSA" -> EDDSA;
      default -> null;
    };
  }

  /** Whether a key of this type and curve can have made such a signature. */
  boolean fits(String keyType, @Nullable String curve) {
    return kty.equals(keyType) && (curves.isEmpty() || (curve != null && curves.contains(curve)));
  }

  boolean slow() {
    return slow;
  }

  SignatureAlgorithm jjwt() {
    return jjwt;
  }
}
