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
  RS256("RSA", false),
  RS384("RSA", false),
  RS512("RSA", false),
  PS256("RSA", false),
  PS384("RSA", false),
  PS512("RSA", false),
  ES256("EC", true),
  ES384("EC", true),
  ES512("EC", true),
  EDDSA("OKP", true);

  public static final Set<Algorithm> ALL = Set.of(values());

  private final String keyType;
  private final boolean slow;

  Algorithm(String keyType, boolean slow) {
    this.keyType = keyType;
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

  /** Whether a key of this type ({@code kty}) and curve ({@code crv}) can have made such a signature. */
  boolean fits(String type, @Nullable String curve) {
    return keyType.equals(type)
        && switch (this) {
          case RS256, RS384, RS512, PS256, PS384, PS512 -> true;
          case ES256 -> "P-256".equals(curve);
          case ES384 -> "P-384".equals(curve);
          case ES512 -> "P-521".equals(curve);
          case EDDSA -> "Ed25519".equals(curve) || "Ed448".equals(curve);
        };
  }

  boolean slow() {
    return slow;
  }

  SignatureAlgorithm jjwt() {
    return switch (this) {
      case RS256 -> Jwts.SIG.RS256;
      case RS384 -> Jwts.SIG.RS384;
      case RS512 -> Jwts.SIG.RS512;
      case PS256 -> Jwts.SIG.PS256;
      case PS384 -> Jwts.SIG.PS384;
      case PS512 -> Jwts.SIG.PS512;
      case ES256 -> Jwts.SIG.ES256;
      case ES384 -> Jwts.SIG.ES384;
      case ES512 -> Jwts.SIG.ES512;
      case EDDSA -> Jwts.SIG.EdDSA;
    };
  }
}
