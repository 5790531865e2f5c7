package dev.gatehouse.authz.jwt;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SignatureAlgorithm;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The signature algorithms that a token may bear (RFC 7518 §3.1, RFC 8037 §3.1): public-key ones only. HS* and {@code none} have
 * no name here, so that no key set and no token can bring them in (RFC 8725 §3.1).
 */
public enum Algorithm {
  RS256("RSA"),
  RS384("RSA"),
  RS512("RSA"),
  PS256("RSA"),
  PS384("RSA"),
  PS512("RSA"),
  ES256("EC"),
  ES384("EC"),
  ES512("EC"),
  EDDSA("OKP");

  public static final Set<Algorithm> ALL = Set.of(values());

  /** Their JOSE names. */
  public static final List<String> NAMES =
      Stream.of(values()).map(each -> each.jjwt().getId()).toList();

  private final String keyType;

  Algorithm(String keyType) {
    this.keyType = keyType;
  }

  /** By its JOSE name, which is case-sensitive (RFC 7515 §4.1.1); null if it is not one of these. */
  public static @Nullable Algorithm named(String jose) {
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
