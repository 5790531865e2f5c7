package dev.gatehouse.authz.jwt;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a well-formed token says of itself. Nothing of it is true until {@link Verifier} has checked the signature; the issuer may
 * be used to choose who checks it, no more.
 *
 * @param expires {@code exp} in milliseconds since the epoch, as are the other times
 * @param notBefore {@code nbf}; {@link Long#MIN_VALUE} where there is none
 * @param issuedAt {@code iat}; {@link Long#MIN_VALUE} where there is none
 */
public record UnverifiedToken(
    CompactJws jws,
    @Nullable String issuer,
    List<String> audiences,
    long expires,
    long notBefore,
    long issuedAt,
    Map<String, @Nullable Object> claims) {

  /** Hides the token. */
  @Override
  public String toString() {
    return "UnverifiedToken[" + jws.algorithm() + "]";
  }
}
